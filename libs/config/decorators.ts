import { applyDecorators } from '@nestjs/common';
import { Transform, Type } from 'class-transformer';
import { IsInt, IsOptional, IsUrl, Max, Min, ValidateBy } from 'class-validator';
import { isServerUrl } from '#libs/comfyui/server-address.js';
import { isHostEntry } from '#libs/outbound/allowed-hosts.js';
import { parseRedisUrl } from '#libs/redis/redis-address.js';

/** Comma-separated. */
export const list = Transform(({ value }) =>
  typeof value === 'string' ? value.split(',').map((item) => item.trim()).filter(Boolean) : value,
);

const FLAGS = new Map<unknown, boolean>([['true', true], ['1', true], ['false', false], ['0', false]]);
/** `true` or `1`, `false` or `0`; anything else is left to be refused. */
export const flag = Transform(({ value }) => FLAGS.get(value) ?? value);

/** What is no JSON is left to be refused. */
export const json = Transform(({ value }) => {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
});

/** Drivers decode what stands in an address, and say of a bare `%` neither where it is nor what to do. */
const percentEncoded = ValidateBy({
  name: 'percentEncoded',
  validator: { validate: isDecodable, defaultMessage: () => '$property must have a % of its own, as in a password, written as %25' },
});

export const url = (protocols: string[]) =>
  applyDecorators(IsUrl({ protocols, require_tld: false, require_protocol: true, require_host: true }), percentEncoded);

/** A whole number of days, or none. */
export const days = applyDecorators(IsOptional(), Type(() => Number), IsInt(), Min(1), Max(36_500));

export const hosts = ValidateBy(
  { name: 'hosts', validator: { validate: isHostEntry, defaultMessage: () => '$value is not host or host:port' } },
  { each: true },
);

/** Says nothing of the value, which may hold a key. */
export const servers = ValidateBy(
  {
    name: 'servers',
    validator: { validate: isServerUrl, defaultMessage: () => 'must list http(s)://[user:secret@]host[:port][/path]' },
  },
  { each: true },
);

/** Says what is wrong, and nothing of the value. */
export const redisUrl = ValidateBy({
  name: 'redisUrl',
  validator: {
    validate: (value) => redisFault(value) === undefined,
    defaultMessage: (given) => `$property ${redisFault(given?.value)}`,
  },
});

function isDecodable(value: unknown): boolean {
  try {
    return decodeURIComponent(String(value)) !== '';
  } catch {
    return false;
  }
}

function redisFault(value: unknown): string | undefined {
  try {
    parseRedisUrl(String(value));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
