import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { validate } from 'uuid';
import type { LedgerOptions } from './commands/credits.js';
import { addQueue } from './queue-program.js';
import type { ServerOptions } from './server-options.js';

const JOB_STATUSES = ['pending', 'processing', 'completed', 'failed', 'cancelled'];

/** The command line `platen`. Each command loads its code when it is called: most need but a little of it. */
export function createProgram(): Command {
  const program = new Command('platen')
    .description('A self-hosted generation backend: one HTTP call makes a collection of finished artworks.')
    .showHelpAfterError();
  addServers(program);
  addTools(program);
  addWorkflows(program);
  addWork(program);
  addQueue(program, { on: onServer, connect });
  addCompletion(program);
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
    .command('doctor')
    .description('examine this installation, and say what to do; fails when something does not work')
    .option('--json', 'print JSON')
    .action(async (options) => (await import('./commands/doctor.js')).doctor(options));
  program
    .command('migrate')
    .description('bring the schema of the database up to date')
    .action(async () => (await import('./commands/migrate.js')).migrate());
  program
    .command('openapi')
    .description('print the OpenAPI document of the API')
    .action(async () => (await import('./commands/openapi.js')).openapi());
  program
    .command('prune')
    .description('remove what is older than KEEP_JOBS_DAYS, KEEP_DELIVERIES_DAYS and KEEP_ACTIONS_DAYS say')
    .option('--dry-run', 'only count what would go')
    .option('--json', 'print JSON')
    .action(async (options) => (await import('./commands/prune.js')).prune(options));
  program
    .command('rotate-keys')
    .description('bring what former master keys hold (PLATEN_OLD_MASTER_KEYS) under PLATEN_MASTER_KEY')
    .action(async () => (await import('./commands/rotate-keys.js')).rotateKeys());
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
    .description('make a few pictures on servers of its own, and leave them in ./demo-output')
    .addOption(new Option('--face <name>', 'by which API').choices(['collections', 'v1', 'two-step']).default('collections'))
    .action(async (options) => (await import('./commands/demo.js')).demo(options));
}

function addWorkflows(program: Command): void {
  const workflow = program.command('workflow').description('workflows that a Platen stores, as folders of files');
  onServer(workflow.command('apply <folder...>'))
    .description('store component directories, and the option lists in _form_confs beside them')
    .action(async (folders, options) =>
      (await import('./commands/workflow.js')).applyWorkflows(await connect(options), folders, options));
  onServer(workflow.command('get <name> [folder]'))
    .description('write a stored workflow as a component directory')
    .action(async (name, folder, options) =>
      (await import('./commands/workflow.js')).getWorkflow(await connect(options), name, folder, options));
  onServer(workflow.command('list'))
    .description('list public workflows and your own')
    .option('--type <type>', 'of this kind alone')
    .option('--tag <tag>', 'with this tag alone')
    .option('--q <text>', 'with this in name, label or description')
    .action(async (options) =>
      (await import('./commands/workflow.js')).listWorkflows(await connect(options), options));
  onServer(workflow.command('test <name-or-folder>'))
    .description('make one generation with the test variables, and wait for its end; it is paid like any')
    .action(async (target, options) =>
      (await import('./commands/workflow.js')).testWorkflow(await connect(options), target, options));
  onServer(program.command('form-config').description('option lists that forms share').command('apply <folder>'))
    .description('store the files of _form_confs; for admins')
    .action(async (folder, options) =>
      (await import('./commands/form-config.js')).applyFormConfigs(await connect(options), folder));
}

function addWork(program: Command): void {
  onServer(program.command('generate <workflow>'))
    .description('make a collection of a workflow, and write its files')
    .option('--var <name=value>', 'a value of its form; as many as wanted', addVariable)
    .option('--editions <n>', 'how many', parseCount, 1)
    .option('--title <title>', "of the collection (the workflow's)")
    .option('--out <folder>', "where the files go (a folder of the workflow's name)")
    .action(async (name, options) => (await import('./commands/generate.js')).generate(await connect(options), name, options));
  const jobs = program.command('jobs').description('your jobs');
  onServer(jobs.command('list'))
    .description('list your jobs, the newest first')
    .addOption(new Option('--status <status>', 'in this state alone').choices(JOB_STATUSES))
    .option('--limit <n>', 'how many at most', parseCount, 20)
    .action(async (options) => (await import('./commands/jobs.js')).listJobs(await connect(options), options));
  onServer(jobs.command('watch <id>'))
    .description('follow a job to its end; Ctrl-C ends the watching, not the job')
    .option('--out <folder>', 'write its files there')
    .action(async (id, options) => (await import('./commands/jobs.js')).watchJob(await connect(options), id, options));
  const credits = onServer(program.command('credits'))
    .description('what the account has, and what running jobs hold of it')
    .action(async (options) => (await import('./commands/credits.js')).showCredits(await connect(options), options));
  onServer(credits.command('ledger'))
    .description('every movement of credits, the newest first')
    .option('--limit <n>', 'how many at most', parseCount, 20)
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<ServerOptions & LedgerOptions>();
      await (await import('./commands/credits.js')).showLedger(await connect(options), options);
    });
}

function addCompletion(program: Command): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'of which shell').choices(['bash', 'zsh']))
    .description('print a script that completes these commands: source <(platen completion bash)')
    .action(async (shell) => (await import('./commands/completion.js')).completion(program, shell));
}

const connect = async (options: ServerOptions) => (await import('./server-options.js')).connectTo(options);

const onServer = (command: Command): Command =>
  command
    .option('--url <url>', 'the Platen to speak to (PLATEN_URL, else http://127.0.0.1:3000)')
    .option('--token <token>', 'as whom (PLATEN_TOKEN)')
    .option('--json', 'print JSON');

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

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It is not a whole number above zero.');
  return Number(text);
}

function addVariable(text: string, others: Record<string, string> = {}): Record<string, string> {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('It is not name=value.');
  return { ...others, [name]: value };
}
