import { Command, InvalidArgumentError, Option } from 'commander';
import { validate } from 'uuid';

/** The command line `platen`. Each command loads its code when it is called: most need but a little of it. */
export function createProgram(): Command {
  const program = new Command('platen')
    .description('A self-hosted generation backend: one HTTP call makes a collection of finished artworks.')
    .showHelpAfterError();
  addServers(program);
  addTools(program);
  return program;
}

function addServers(program: Command): void {
  program
    .command('up')
    .description('all in one, stays up: Postgres, Redis where there is one, migrations, API and worker')
    .action(async () => (await import('./commands/up.js')).up());
  program
    .command('api')
    .description('one API process, for DATABASE_URL and REDIS_URL')
    .action(async () => (await import('./commands/roles.js')).api());
  program
    .command('worker')
    .description('one worker process, for DATABASE_URL and REDIS_URL')
    .action(async () => (await import('./commands/roles.js')).worker());
}

function addTools(program: Command): void {
  program
    .command('migrate')
    .description('bring the schema of the database up to date')
    .action(async () => (await import('./commands/migrate.js')).migrate());
  program
    .command('token')
    .description('print a token for a development user; makes the account and grants the credits')
    .requiredOption('--sub <uuid>', 'the user', parseUuid)
    .addOption(new Option('--role <role>', 'what the user may do').choices(['user', 'admin']).default('user'))
    .option('--credits <number>', 'credits to grant, each time', parseCredits)
    .option('--plan <name>', 'plan of the account')
    .action(async (options) => (await import('./commands/token.js')).token(options));
  program
    .command('demo')
    .description('make six editions of a sketch on servers of its own, and leave the images in ./demo-output')
    .action(async () => (await import('./commands/demo.js')).demo());
}

function parseUuid(text: string): string {
  if (!validate(text)) throw new InvalidArgumentError('It is not a UUID.');
  return text.toLowerCase();
}

function parseCredits(text: string): number {
  const credits = Number(text);
  if (text.trim() === '' || !Number.isFinite(credits) || credits <= 0) {
    throw new InvalidArgumentError('It is not a number above zero.');
  }
  return credits;
}
