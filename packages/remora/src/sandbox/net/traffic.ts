/**
 * How many bytes a plugin sent and took over the network, in all ways together: what it said and was told, without what
 * the protocols below add. Of HTTP that is bodies, addresses and headers.
 */

export interface Traffic {
  sentBytes: number;
  receivedBytes: number;
}

export function noTraffic(): Traffic {
  return { sentBytes: 0, receivedBytes: 0 };
}
