import { writeFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { Bench, type BenchOptions, type Scale } from './bench.js';
import { machine } from './machine.js';
import type { Subject, SubjectReport } from './subject.js';
import { subjects } from './subjects/index.js';
import { tableOf } from './table.js';

interface Options {
  scale?: Scale;
  quick?: true;
  rounds?: number;
  profile?: true;
  json?: string;
  markdown?: string;
}

type Finding = SubjectReport & Pick<Subject, 'name' | 'title'>;

const ROUNDS: Record<Scale, number> = { tiny: 1, quick: 2, full: 4 };
const say = (line: string) => void process.stderr.write(`${line}\n`);

const program = new Command('bench')
  .description('Measures Platen against bare programs that do the same work, in turn, and prints the ratios.')
  .argument('[subjects...]', `what to measure: ${subjects.map(({ name }) => name).join(', ')} (default: all)`)
  .option('--quick', 'about a minute per subject instead of several')
  .addOption(new Option('--scale <scale>').choices(['tiny', 'quick', 'full']).hideHelp())
  .option('--rounds <number>', 'how often each side is measured (default: 4, quick 2)', Number)
  .option('--profile', 'look into Platen instead: statements and processor time per generation')
  .option('--json <file>', 'write the figures as JSON, too')
  .option('--markdown <file>', 'write the tables as Markdown, too')
  .action(run);

await program.parseAsync().catch((error: Error) => {
  say(error.stack ?? error.message);
  process.exitCode = 1;
});
process.exit();

async function run(names: string[], options: Options): Promise<void> {
  const chosen = names.length === 0 ? subjects : names.map(subjectNamed);
  const scale = options.scale ?? (options.quick ? 'quick' : 'full');
  const findings: Finding[] = [];
  const { rounds = ROUNDS[scale], profile = false } = options;
  for (const subject of chosen) findings.push(await measure(subject, { scale, rounds, profile, say }));
  const text = [machine(), ...findings.map(markdownOf)].join('\n\n');
  process.stdout.write(`${text}\n`);
  if (options.markdown) writeFileSync(options.markdown, `${text}\n`);
  if (options.json) writeFileSync(options.json, `${JSON.stringify({ machine: machine(), scale, findings }, null, 2)}\n`);
}

async function measure(subject: Subject, options: BenchOptions): Promise<Finding> {
  const { name, title } = subject;
  say(`${name}: ${title}`);
  return Bench.during(options, async (bench) => ({ name, title, ...(await subject.run(bench)) }));
}

function subjectNamed(name: string): Subject {
  const subject = subjects.find((one) => one.name === name);
  if (!subject) throw new Error(`There is no subject ${name}.`);
  return subject;
}

function markdownOf({ name, title, figures, columns, notes = [], profile }: Finding): string {
  const found = profile === undefined ? [tableOf(figures, columns)] : ['```', profile, '```'];
  return [`### ${name}`, `${title}.`, ...found, ...notes.map((note) => `- ${note}`)].join('\n\n');
}
