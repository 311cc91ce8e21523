// The tandem command: its words and flags. What each command does is in cli/.
import './lib/steady-wasm.ts';
import './lib/young-objects.ts';

import { Command } from 'commander';
import { type CallOptions, placeCall } from './cli/call.ts';
import { behavioursHelp, parseBehaviour, parsePort, runCarrier } from './cli/carrier.ts';
import { developmentConfig } from './cli/dev.ts';
import { explain } from './cli/explain.ts';
import { type ExplainOptions, explainCall } from './cli/explain-call.ts';
import { type ExportOptions, exportCalls, FORMATS } from './cli/export-calls.ts';
import { init } from './cli/init.ts';
import { chartLoadShare, type LoadShareOptions } from './cli/load-share.ts';
import { serveUntilStopped } from './cli/serve.ts';
import { type Flags, readConfig, settingsHelp } from './config.ts';
import { CALL_DIRECTIONS, CALL_STATUSES } from './resources/index.ts';
import { allSettings, CHAPTERS, CLIENT_SETTINGS, type Setting } from './settings/index.ts';
import { VERSION } from './version.ts';

/** Runs the command line; resolves when the command has ended. Failures are one line on stderr and exit code 1. */
export async function run(argv: readonly string[]): Promise<void> {
  const program = new Command('tandem')
    .description("A self-hosted voice exchange that speaks Twilio's API.")
    .version(VERSION)
    .showHelpAfterError('(--help says more)');
  addServe(program);
  addInit(program);
  addCall(program);
  addCalls(program);
  addRouting(program);
  addCarrier(program);
  try {
    await program.parseAsync(argv);
  } catch (error) {
    process.stderr.write(`tandem: ${explain(error)}\n`);
    process.exitCode = 1;
  }
}

function addServe(program: Command): void {
  withSettings(program.command('serve'))
    .description('run the exchange until SIGTERM or Ctrl-C')
    .action((flags: Flags) => serveUntilStopped(readConfig(process.env, flags)));
  withSettings(program.command('dev', { hidden: true }))
    .description('run the exchange with an account that is always the same, for working on Tandem')
    .action((flags: Flags) => serveUntilStopped(developmentConfig(process.env, flags)));
}

function addInit(program: Command): void {
  withSettings(program.command('init'))
    .description(
      'run a demo: the exchange, two carriers, a policy and a trunk, and the code to call over them',
    )
    .action((flags: Flags) => init(readConfig(process.env, flags)));
}

function addCall(program: Command): void {
  asking(program.command('call'))
    .description('place a call and tell it as it happens')
    .argument('<to>', 'phone number such as +15550001234, or a sip: URI')
    .option('--from <number>', 'caller id', '+15550009999')
    .option('--byoc <sid>', 'BYOC trunk that carries the call (default: the newest one)')
    .option('--say <text>', 'what the callee hears', 'Hello from Tandem.')
    .option('--twiml <twiml>', 'TwiML to run instead')
    .option('--url <url>', 'URL to fetch TwiML from instead')
    .option('--timeout <seconds>', 'how long it may ring', '60')
    .action(async (to: string, options: Flags & Omit<CallOptions, 'to'>) => {
      process.exitCode = await placeCall(readConfig(process.env, options), { ...options, to });
    });
}

function addCalls(program: Command): void {
  const calls = program.command('calls').description('what calls there were');
  const exporting = asking(calls.command('export'));
  exporting
    .description('write the calls between two dates as CSV or JSON, newest first')
    .option(
      '--from <date>',
      'started on this day (UTC) or later; a time such as 2026-11-01T08:00:00Z works too',
    )
    .option(
      '--to <date>',
      'started before this day begins (UTC); all of November is --from 2026-11-01 --to 2026-12-01',
    )
    .addOption(
      exporting.createOption('--format <format>', 'how to write them').choices(FORMATS).default('csv'),
    )
    .addOption(exporting.createOption('--status <status>', 'only these').choices(CALL_STATUSES))
    .addOption(exporting.createOption('--direction <direction>', 'only these').choices(CALL_DIRECTIONS))
    .option('-o, --output <file>', 'file to write (default: stdout)')
    .action((options: Flags & ExportOptions) => exportCalls(readConfig(process.env, options), options));
}

function addRouting(program: Command): void {
  asking(program.command('explain'))
    .description('tell what would become of a call and why, without placing it')
    .argument('<to>', 'phone number such as +15550001234, or a sip: URI')
    .option('--from <number>', 'caller id', '+15550009999')
    .option('--byoc <sid>', 'BYOC trunk that carries the call (default: the newest one)')
    .option('--source-ip <address>', 'the call arrives, from this address, and asks for the sip: URI')
    .option('--transport <transport>', 'udp, tcp or tls: how it arrives (default: udp)')
    .option('--username <user>', 'whose password it would show')
    .option('--json', 'print the answer as JSON')
    .action((to: string, options: Flags & Omit<ExplainOptions, 'to'>) =>
      explainCall(readConfig(process.env, options), { ...options, to }),
    );
  asking(program.command('load-share'))
    .description("draw a policy's targets many times and chart how calls would spread")
    .argument('<policy>', 'SID of the connection policy')
    .option('--selections <number>', 'how many calls to draw, up to 1000000', '100000')
    .option('--json', 'print the figures as JSON')
    .action((policySid: string, options: Flags & Omit<LoadShareOptions, 'policySid'>) =>
      chartLoadShare(readConfig(process.env, options), { ...options, policySid }),
    );
}

function addCarrier(program: Command): void {
  program
    .command('carrier')
    .description('run a carrier to try the exchange with')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'UDP port to listen on; 0 picks a free one', '5071')
    .option('--always <behaviour>', 'treat every call alike, whatever the number')
    .addHelpText('after', `\nThe last digits of the number dialled say what it does:\n${behavioursHelp()}`)
    .action(({ host, port, always }: { host: string; port: string; always?: string }) =>
      runCarrier({ host, port: parsePort(port), ...(always && { always: parseBehaviour(always) }) }),
    );
}

/** Every setting is a flag of the command; its help tells the variables too. */
function withSettings(command: Command): Command {
  const chapters = CHAPTERS.map(({ title, settings }) => `${title}:\n${settingsHelp(settings)}`);
  return withFlags(command, allSettings()).addHelpText(
    'after',
    `\nSettings, as flags or variables.\n\n${chapters.join('\n\n')}`,
  );
}

/** The command asks a running exchange: its help tells how to reach that one. */
function asking(command: Command): Command {
  return withFlags(command, CLIENT_SETTINGS).addHelpText(
    'after',
    `\nWhich exchange is asked, and as which account, by flags or variables:\n${settingsHelp(CLIENT_SETTINGS)}`,
  );
}

function withFlags(command: Command, settings: readonly Setting[]): Command {
  for (const { flag } of settings)
    if (flag !== undefined) command.addOption(command.createOption(`--${flag} <value>`).hideHelp());
  return command;
}

if (import.meta.main) await run(process.argv);
