/** What a thread or process runs in tests instead of its entry: nothing, and it fails at that. */

throw new Error("broken");

export {};
