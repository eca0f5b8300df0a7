/** The admin interface of a manager: over HTTP for everybody with a token, and as functions. This is the package's entry. */

// Interfaces of other systems over the same manager.
export type { Login } from "./access/logins.ts";
// Who may do what.
export { isRole, type Role, roles } from "./access/roles.ts";
export {
  type CreateTokenOptions,
  createToken,
  readTokens,
  revokeToken,
  type TokenRecord,
  tokensFile,
} from "./access/tokens.ts";
export {
  type CreateUserOptions,
  createUser,
  readUsers,
  removeUser,
  type UserRecord,
  usersFile,
} from "./access/users.ts";
// Where a running manager is reached.
export { type Endpoint, endpointFile, readEndpoint } from "./endpoint-file.ts";
// Errors.
export { adminErrors } from "./errors.ts";
// Operations, here or there.
export { localOperations } from "./local-operations.ts";
export type {
  JsonSchema,
  Mount,
  MountedAccess,
  MountedAnswer,
  MountedAnswerSchema,
  MountedPeer,
  MountedRequest,
  MountedRoute,
  MountedSchema,
  MountedSession,
  MountedSocket,
} from "./mount.ts";
export {
  type Admin,
  type AdminLimits,
  type AdminOptions,
  defaultAdminLimits,
  openAdmin,
} from "./open-admin.ts";
export type { AuditQuery, Happening, InstallSource, Operations } from "./operations.ts";
export { isAlive, remoteOperations } from "./remote-operations.ts";
export type {
  AccountView,
  AuditRecordView,
  ChangeView,
  ConsentView,
  GrantView,
  PluginDetailsView,
  PluginView,
  VerdictView,
} from "./views.ts";
