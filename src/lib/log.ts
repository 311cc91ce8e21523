// The log as a port; pino is the real one. Build `fields` cheaply: they are made even when the level is off.
import { pino } from 'pino';

export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** JSON lines on stderr; stdout belongs to the ready line and to commands. */
export const createLog = (level: LogLevel): Log => pino({ level, base: null }, pino.destination(2));

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
