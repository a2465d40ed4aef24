import { Argument, InvalidArgumentError, Option, type Command } from 'commander';
import type { QueueRequests } from './commands/queue.js';
import type { ServerOptions } from './server-options.js';

interface Server {
  /** Adds the options that name a server. */
  on(command: Command): Command;
  connect(options: ServerOptions): Promise<QueueRequests>;
}

const WHAT = ['all', 'lane', 'workflow', 'user'];

/** `platen queue …`: what operators see of the queue, and do to it. */
export function addQueue(program: Command, { on, connect }: Server): void {
  const queue = program.command('queue').description('the work that waits and runs, for admins');
  const verbs = () => import('./commands/queue.js');
  on(queue.command('status', { isDefault: true }))
    .description('what is open in each lane, and what is paused: why, by whom, since when')
    .action(async (options) => (await verbs()).showStatus(await connect(options), options));
  on(queue.command('waiting'))
    .description('who or what waits, and for how long')
    .addOption(new Option('--by <what>', 'what is counted together').choices(['lane', 'workflow', 'user']).default('workflow'))
    .action(async (options) => (await verbs()).showWaiting(await connect(options), options));
  on(queue.command('running'))
    .description('what runs, in which worker, and until when it holds it')
    .action(async (options) => (await verbs()).showRunning(await connect(options), options));
  for (const [mode, description] of [
    ['pause', 'let no worker take any of it; what runs ends first'],
    ['drain', 'begin nothing more of it; what has begun goes on to its end'],
  ] as const) {
    on(queue.command(mode).addArgument(new Argument('<what>').choices(WHAT)).argument('[which]', 'lane, or id'))
      .description(description)
      .requiredOption('--reason <text>', 'for whoever finds the work standing still')
      .option('--until <time>', 'when it ends by itself: 2027-01-31T12:00:00Z')
      .option('--wait', 'come back when nothing of it goes on any more')
      .action(async (scope, subject, options) =>
        (await verbs()).pauseWork(await connect(options), { scope, subject, mode, ...options }));
  }
  on(queue.command('resume').addArgument(new Argument('<what>').choices(WHAT)).argument('[which]', 'lane, or id'))
    .description('lift a pause or drain')
    .action(async (scope, subject, options) => (await verbs()).resumeWork(await connect(options), { scope, subject, ...options }));
  on(queue.command('cancel <job> [index]'))
    .description('stop a job, or one generation of it; its owner gets back what was not made')
    .requiredOption('--reason <text>', 'told to the owner')
    .action(async (job, index, options) => (await verbs()).cancel(await connect(options), { job, index, ...options }));
  on(queue.command('retry <job> [index]'))
    .description('run what failed or was cancelled again, at its owner\'s cost')
    .action(async (job, index, options) => (await verbs()).retry(await connect(options), { job, index, ...options }));
  on(queue.command('move <job>'))
    .description('move what of a job waits to another priority')
    .requiredOption('--priority <number>', '1 to 100; 100 goes first', parsePriority)
    .action(async (job, options) => (await verbs()).move(await connect(options), { job, ...options }));
  on(queue.command('log'))
    .description('what operators did last')
    .action(async (options) => (await verbs()).showLog(await connect(options), options));
}

function parsePriority(text: string): number {
  const priority = Number(text);
  if (!Number.isInteger(priority) || priority < 1 || priority > 100) {
    throw new InvalidArgumentError('It is not a whole number from 1 to 100.');
  }
  return priority;
}
