// tandem dev: the exchange for working on Tandem itself, with an account that is always the same.
import { type Config, type Environment, type Flags, readConfig } from '../config.ts';

const DEVELOPMENT = {
  TANDEM_DATA: './data/dev',
  TANDEM_ACCOUNT_SID: `AC${'0'.repeat(31)}1`,
  TANDEM_AUTH_TOKEN: 'development-token',
  TANDEM_LOG_LEVEL: 'debug',
} as const;

/** The settings of `npm run dev`; what the environment says wins. */
export const developmentConfig = (environment: Environment, flags: Flags): Config =>
  readConfig({ ...DEVELOPMENT, ...environment }, flags);
