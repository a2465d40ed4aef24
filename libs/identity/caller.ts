export const ROLES = ['user', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Who makes a request, as its token or API key says. */
export interface Caller {
  /** UUID, in lower case. */
  userId: string;
  role: Role;
}
