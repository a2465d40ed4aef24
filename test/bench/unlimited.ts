const ENDLESS = 1_000_000_000;

/** The benchmark asks for more than any plan grants. The limits are checked all the same. */
export const UNLIMITED_PLANS = {
  free: {
    maxOpenGenerations: ENDLESS,
    maxInFlight: ENDLESS,
    monthlyGenerations: ENDLESS,
    submitsPerMinute: ENDLESS,
    readsPerMinute: ENDLESS,
    storageBytes: 1024 ** 5,
  },
};
