/** Who may do what. Each role may do all that those before it may. */

/** `reader` looks; `operator` starts, stops, reloads, rolls back, sets up; `admin` decides what runs and may do what. */
export const roles = ["reader", "operator", "admin"] as const;
export type Role = (typeof roles)[number];

export function isRole(text: unknown): text is Role {
  return (roles as readonly unknown[]).includes(text);
}

export function mayAct(role: Role, needed: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(needed);
}
