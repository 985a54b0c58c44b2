/** Why a peer cannot take part. It becomes the text of its cells in the report; the run goes on without it. */
export class Unavailable extends Error {}
