/**
 * The bound of everything the network can make grow. Each names the fault or the reaction when it is reached.
 * Units are in the names; sizes are in bytes.
 */
export const LIMITS = {
  /** A SIP message over UDP or WebSocket; larger ones get 513 (`SIP_MESSAGE_TOO_LARGE`). */
  sipMessageBytes: 65_535,
  /** Header section of a SIP message. */
  sipHeaderBytes: 32_768,
  /** Header lines of a SIP message. */
  sipHeaderLines: 256,
  /** Live client and server transactions together; a new request then gets 503 (`SIP_TRANSACTIONS_EXHAUSTED`). */
  sipTransactions: 100_000,
  /** Bytes buffered of a TCP stream that do not yet form a message. */
  sipStreamBufferBytes: 131_072,
  /** Open stream connections (TCP and WebSocket); a further one is closed at once. */
  connections: 20_000,
  /** Open stream connections of one address. */
  connectionsPerAddress: 2_000,
  /** Time a new stream connection may stay without a whole message. */
  connectionIdleMs: 30_000,
  /** TLS handshakes of peers on SIP ports at once; a further connection is closed at once. */
  tlsHandshakes: 1_000,
  /** Time a peer may take for its TLS handshake. */
  tlsHandshakeMs: 10_000,
  /** Bytes waiting to be written to one stream connection before it is closed as stuck. */
  connectionSendBufferBytes: 1_048_576,
  sdpBytes: 32_768,
  sdpLines: 1_024,
  sdpMediaSections: 16,
  sdpCodecsPerSection: 64,
  /** Contacts of one user; a further one is answered 403. */
  contactsPerUser: 10,
  registrations: 100_000,
  /** Content of one MESSAGE. */
  messageBytes: 8_192,
  /** Messages that wait for one user; a further one gets 503. */
  messagesPerUser: 100,
  /** Messages that wait for users at all. */
  messages: 20_000,
  /** Subscriptions at once; a further one gets 503. */
  subscriptions: 50_000,
  /** Subscriptions that one user has made. */
  subscriptionsPerUser: 200,
  /** Subscriptions to one kind of state of one user. */
  watchersPerUser: 1_000,
  /** Content of one PUBLISH. */
  publicationBytes: 16_384,
  /** Devices of one user that publish; the oldest is forgotten for a further one. */
  publicationsPerUser: 10,
  publications: 50_000,
  calls: 10_000,
  /** Requests that wait for a browser to connect again; a further one fails at once. */
  requestsAwaitingReturn: 10_000,
  /** Branches ringing at once for one call. */
  branchesPerCall: 20,
  /** 3xx answers that one call follows; a further one is a refusal. */
  redirectsPerCall: 5,
  /** Contacts of one 3xx that are tried. */
  redirectContacts: 5,
  /** Transfers of one call, and calls that replaced a side of it; a further one gets 603. */
  transfersPerCall: 16,
  /** Early dialogs of one INVITE, ours with a caller and a peer's with us; further ones are not told apart. */
  earlyDialogsPerCall: 20,
  /** Addresses that one domain name may lead to; further ones are not tried. */
  locatedTargets: 20,
  /** DNS answers remembered; the oldest is forgotten. */
  dnsCacheEntries: 10_000,
  /** DNS questions under way at once; a further one counts as failed. */
  dnsQuestions: 1_000,
  /** Requests that wait for the DNS; a further one fails like one that nobody takes. */
  dnsSearches: 20_000,
  /** Records read of one DNS answer; further ones are not. */
  dnsRecords: 64,
  /** Targets avoided because they did not serve a request; the one that ends first is forgotten. */
  avoidedTargets: 10_000,
  /** Entries of a call's timeline; later ones are counted, not kept. */
  timelineEntries: 500,
  /** Ended calls whose timeline can still be read. */
  endedCallsKept: 500,
  mediaSessions: 10_000,
  /** Sides of one media session. */
  mediaSidesPerSession: 24,
  /** Media events waiting for the gateway; further ones are merged or counted as dropped. */
  mediaEventsQueued: 10_000,
  /** A frame between gateway and native media engine; the connection is closed at a longer one. */
  mediaControlFrameBytes: 1_048_576,
  /** Digits of one side that wait to be sent. */
  mediaDigitsQueued: 128,
  /** Followers of `/v1/events` at once. */
  eventStreams: 200,
  /** Of these those of one user. */
  eventStreamsPerUser: 20,
  /** Bytes waiting for one follower of `/v1/events` before it is disconnected. */
  eventStreamBufferBytes: 1_048_576,
  apiBodyBytes: 65_536,
  /** Signed-in users of the API at once; the oldest is signed out by a further one. */
  apiSessions: 10_000,
} as const
