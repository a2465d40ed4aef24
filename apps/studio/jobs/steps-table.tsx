import type { Step } from '../api/shapes.js';
import { durationText, secondsBetween } from '../elements/amounts.js';
import { Status } from '../elements/status.js';

/** The newest attempt of each step, with what it said. */
export function StepsTable({ steps }: { steps: Step[] }) {
  if (steps.length === 0) return <p class="quiet">No step has begun yet.</p>;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Steps">
      <table>
        <thead><tr><th>Step</th><th>Node</th><th>State</th><th class="number">Attempt</th><th class="number">Time</th><th>Said</th></tr></thead>
        <tbody>
          {steps.map((step) => (
            <tr key={step.step_id}>
              <td>{step.alias ?? step.step_id}</td>
              <td><code>{step.node}</code></td>
              <td><Status of={step.status} /></td>
              <td class="number">{step.attempt}</td>
              <td class="number">{durationText(secondsBetween(step.started_at, step.completed_at))}</td>
              <td><Said step={step} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Said({ step: { error, logs } }: { step: Step }) {
  return (
    <>
      {error && <p class="fault">{error.message}</p>}
      {logs.length > 0 && (
        <details>
          <summary>{logs.length} {logs.length === 1 ? 'line' : 'lines'}</summary>
          <pre>{logs.join('\n')}</pre>
        </details>
      )}
    </>
  );
}
