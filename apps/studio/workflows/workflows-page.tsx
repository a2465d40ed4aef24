import { useCallback, useEffect, useState } from 'preact/hooks';
import { listWorkflows } from '../api/platen.js';
import type { Workflow } from '../api/shapes.js';
import { hrefOf } from '../app/router.js';
import { creditsText, durationText } from '../elements/amounts.js';
import { Pages } from '../elements/pages.js';
import { Title } from '../elements/title.js';
import { Emblem } from './emblem.js';

const AFTER_TYPING_MS = 250;

export function WorkflowsPage() {
  const [typed, setTyped] = useState('');
  const [wanted, setWanted] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => setWanted(typed.trim()), AFTER_TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  const load = useCallback((cursor?: string) => listWorkflows(wanted, cursor), [wanted]);
  return (
    <>
      <div class="headline">
        <div>
          <Title tab="Make">What shall be made?</Title>
          <p class="lead">Choose a workflow, or <a href={hrefOf('/sketch')}>write a sketch of your own</a>.</p>
        </div>
        <input class="search" type="search" placeholder="Search" aria-label="Search workflows" value={typed}
          onInput={({ currentTarget }) => setTyped(currentTarget.value)} />
      </div>
      <Pages load={load}>{(workflows) => <Workflows workflows={workflows} />}</Pages>
    </>
  );
}

function Workflows({ workflows }: { workflows: Workflow[] }) {
  const executable = workflows.filter(({ output_mime_type, type }) => output_mime_type !== null && type !== 'basic');
  if (executable.length === 0) return <p class="quiet">There is no such workflow.</p>;
  return (
    <ul class="cards">
      {executable.map((workflow) => (
        <li key={workflow.id}>
          <a class="card" href={hrefOf(`/workflows/${workflow.id}`)}>
            <Emblem seed={workflow.name} />
            <h2>{workflow.label ?? workflow.name}</h2>
            {workflow.description && <p>{workflow.description}</p>}
            <p class="quiet">{priceOf(workflow)} · {durationText(workflow.estimated_duration)} each</p>
          </a>
        </li>
      ))}
    </ul>
  );
}

function priceOf({ price: { base, per_generation: { min, max } } }: Workflow): string {
  const least = base + min;
  if (least === 0 && max === 0) return 'free';
  return max > min ? `from ${creditsText(least)}` : creditsText(least);
}
