/** The Redis of this test run, or `undefined` where there is none: then skip what needs one, by name. */
export function testRedisUrl(): string | undefined {
  return process.env.PLATEN_TEST_REDIS_URL || undefined;
}
