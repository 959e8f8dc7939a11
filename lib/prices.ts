/** List prices of us-east-1 in dollars, read in November 2026: a million of the named units, unless the comment says so. */
export const listPrices = {
  lambdaRequest: 0.2,
  /** A million GB-seconds on arm64. */
  lambdaTime: 13.3334,
  writeUnit: 0.625,
  readUnit: 0.125,
  /** A write unit of provisioned capacity for an hour, in dollars. */
  provisionedHour: 0.00065,
  /** A read unit of provisioned capacity for an hour, in dollars. */
  provisionedReadHour: 0.00013,
} as const;
