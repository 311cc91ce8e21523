// The tandem command.
import { Command } from 'commander';
import { placeCall } from './cli/call.ts';
import { explain } from './cli/explain.ts';
import { serveUntilStopped } from './cli/serve.ts';
import { readConfig, settingsHelp } from './config.ts';
import { SETTINGS } from './settings.ts';
import { VERSION } from './version.ts';

type Options = { readonly [flag: string]: string | undefined };

/** Runs the command line; resolves when the command has ended. Failures are one line on stderr and exit code 1. */
export async function run(argv: readonly string[]): Promise<void> {
  const program = new Command('tandem')
    .description("A self-hosted voice exchange that speaks Twilio's API.")
    .version(VERSION)
    .showHelpAfterError('(--help says more)');

  withSettings(program.command('serve'))
    .description('run the exchange until SIGTERM or Ctrl-C')
    .action((options: Options) => serveUntilStopped(readConfig(process.env, options)));

  withSettings(program.command('call'))
    .description('place a call and tell it as it happens')
    .argument('<to>', 'phone number such as +15550001234, or a sip: URI')
    .option('--from <number>', 'caller id', '+15550009999')
    .option('--byoc <sid>', 'BYOC trunk that carries the call (default: the newest one)')
    .option('--say <text>', 'what the callee hears', 'Hello from Tandem.')
    .option('--twiml <twiml>', 'TwiML to run instead')
    .option('--url <url>', 'URL to fetch TwiML from instead')
    .option('--timeout <seconds>', 'how long it may ring', '60')
    .action(async (to: string, { from, byoc, say, twiml, url, timeout, ...settings }: Options) => {
      const options = {
        to,
        from,
        say,
        timeout,
        ...(byoc && { byoc }),
        ...(twiml && { twiml }),
        ...(url && { url }),
      };
      process.exitCode = await placeCall(
        readConfig(process.env, settings),
        options as Parameters<typeof placeCall>[1],
      );
    });

  try {
    await program.parseAsync(argv);
  } catch (error) {
    process.stderr.write(`tandem: ${explain(error)}\n`);
    process.exitCode = 1;
  }
}

/** Every setting is a flag of the command; the environment is said in its help. */
function withSettings(command: Command): Command {
  for (const setting of Object.values(SETTINGS)) {
    if ('flag' in setting) command.option(`--${setting.flag} <value>`, setting.meaning);
  }
  return command
    .configureHelp({ visibleOptions: (cmd) => cmd.options.filter(isOwn) })
    .addHelpText('after', `\nSettings, as flags or variables:\n${settingsHelp()}`);
}

const SETTING_FLAGS = new Set(
  Object.values(SETTINGS).flatMap((setting) => ('flag' in setting ? [`--${setting.flag}`] : [])),
);
const isOwn = (option: { long?: string | null | undefined }): boolean =>
  !SETTING_FLAGS.has(option.long ?? '');

if (import.meta.main) await run(process.argv);
