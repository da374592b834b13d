/**
 * Every bound of the runtime in one place. What comes from outside a process is measured against one
 * of these before memory is taken for it.
 */

/** Longest service, layer, IPCP and device name, in bytes (irmd-and-irm.md 10). */
export const nameBytesMax = 255;

/** Longest line on a control connection, in bytes. */
export const rpcLineBytesMax = 1 << 20;

/** The same of what irmd answers, which lists all there is on a node. */
export const rpcAnswerBytesMax: number = 16 * 1024 * 1024;

/** Requests a control connection may have open at once. */
export const rpcPendingMax = 4096;

/**
 * Of those, requests that ask for something and may take long, such as a flow, from one part of a node to another; the
 * rest is for what ends things, which must not be refused.
 */
export const nodeRequestsMax: number = rpcPendingMax / 2;

/**
 * What one user may have open at irmd who is neither root, nor of the group ouroboros, nor whom irmd runs as: control
 * connections, requests for flows and accept calls, flow ids.
 */
export const uidConnectionsMax = 1024;
export const uidRequestsMax = 1024;
export const uidFlowsMax = 2560;

/** Longest message on a flow between two processes of a node, in bytes (application-api.md 2). */
export const messageBytesMax = 1_048_260;

/** First flow descriptor of a process, and one past the last (application-api.md 2). */
export const flowDescriptorMin = 64;
export const flowDescriptorMax = 4096;

/** Flow identifiers of a node, one for each end (irmd-and-irm.md 3.1). */
export const flowIdMin = 1;
export const flowIdMax = 10_239;

/** Bytes a process may have queued towards its own node on one flow before a write waits. */
export const flowSendBytesMax = 256 * 1024;

/** Messages, and their bytes, that are read from a flow's socket ahead of the application; the rest waits in the node. */
export const readAheadMax = 1024;
export const readAheadBytesMax: number = 4 * 1024 * 1024;

/** Bytes queued for a process that does not read; what comes after is dropped and counted. */
export const flowReceiveBytesMax = 4 * 1024 * 1024;

/** Pairs of handshake id and time stamp remembered against replay. */
export const replayEntriesMax = 65_536;

/** Longest file of security material: a certificate, a key or an enc.conf, in bytes. */
export const securityFileBytesMax: number = 256 * 1024;
