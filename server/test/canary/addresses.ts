/** Addresses of every internal kind, as the namespace of the canaries has them, and what is heard there. */

/** The one that the operator opened. */
export const GOOD_ADDRESS = "10.20.0.1";

export const CANARY_ADDRESSES = [
  ...["127.0.0.1", "127.8.9.10", "::1"],
  ...["10.20.0.2", "10.21.0.1", "172.16.3.3", "192.168.7.7", "100.64.0.9", "fd12:3456::1"],
  ...["169.254.169.254", "169.254.7.7", "100.100.100.200", "168.63.129.16", "fd00:ec2::254"],
  ...["192.0.2.9", "198.18.0.9", "203.0.113.9", "2001:db8::9"],
];

export interface Heard {
  /** connections by internal address, before the witness was tried */
  canaries: Record<string, number>;
  /** connections to the opened one */
  good: number;
  /** of the requests to the name that flips */
  outcomes: Record<string, number>;
  /** what came of a name that exists below a search domain alone */
  lost: string;
  redirects: number;
  /** what the opened one was reached by, by its name and by another name of it */
  reached: (string | null)[];
  /** questions with the search domain in them */
  searched: string[];
  /** addresses on which the witness hears nothing */
  deaf: string[];
}
