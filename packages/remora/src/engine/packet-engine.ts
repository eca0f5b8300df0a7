/** What packets are written and read with on this platform. */

import type { PacketEngine } from "../component/packet.ts";
import { routineEngine } from "./routine-engine.ts";
import { textCodec } from "./text.ts";

export const packetEngine: PacketEngine = { text: textCodec, routines: routineEngine };
