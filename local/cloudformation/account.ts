/** The account and region of this machine. */
export const accountId = '000000000000';
export const region = 'us-east-1';
