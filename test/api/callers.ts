import { issueToken } from '#libs/identity/access-tokens.js';
import { JWT_SECRET, type TestApi } from '../setup/api.js';
import { call, type Answered, type Call, type Envelope } from './calls.js';
import type { CallerName } from './routes.js';

/** Ids of the users that ask. */
export type Callers = Record<'owner' | 'other' | 'admin', string>;

/** The headers with which one of them asks. The expired token is the owner's. */
export function credentialsOf(api: TestApi, caller: CallerName, users: Callers): Record<string, string> {
  switch (caller) {
    case 'anonymous':
      return {};
    case 'expired':
      return { authorization: `Bearer ${issueToken(JWT_SECRET, { sub: users.owner, expiresIn: -60 })}` };
    case 'admin':
      return api.as(users.admin, 'admin');
    case 'other':
    case 'owner':
      return api.as(users[caller]);
  }
}

/** Who may use a route at all. */
export const userOf = (route: string): 'admin' | 'owner' =>
  /^(\w+ \/admin\/|(POST|PUT|DELETE) \/form-configs)/.test(route) ? 'admin' : 'owner';

/** A request by this user. */
export const asUser = (api: TestApi, userId: string, path: string, request: Call = {}): Promise<Answered> =>
  call(`${api.url}${path}`, { ...request, headers: { ...api.as(userId), ...request.headers } });

/** `data` of an answer that must be an envelope. */
export const dataOf = ({ json }: Answered): Envelope['data'] => json!.data;
