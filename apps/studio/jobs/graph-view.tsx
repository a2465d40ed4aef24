import type { Step } from '../api/shapes.js';
import { durationText, secondsBetween } from '../elements/amounts.js';
import { statusName } from '../elements/status.js';
import type { GraphNode } from './step-graph.js';

const [WIDTH, HEIGHT] = [184, 64];
const [ACROSS, DOWN] = [28, 44];
const INSET = 14;

/** Steps from top to bottom, each below what it stands on, in the state of one edition. */
export function GraphView({ nodes, steps }: { nodes: GraphNode[]; steps: Step[] }) {
  const places = new Map(nodes.map((node) => [node.id, placeOf(node)]));
  const columns = Math.max(1, ...nodes.map(({ place }) => place + 1));
  const rows = Math.max(1, ...nodes.map(({ level }) => level + 1));
  const [width, height] = [columns * (WIDTH + ACROSS) - ACROSS, rows * (HEIGHT + DOWN) - DOWN];
  return (
    <div class="scroll graph" tabIndex={0} role="region" aria-label="Graph of steps">
      <svg viewBox={`-2 -2 ${width + 4} ${height + 4}`} width={width + 4} height={height + 4} role="img"
        aria-label={`${nodes.length} steps; the table below says the same`}>
        {nodes.flatMap(({ id, from }) => from.map((source) => <Edge from={places.get(source)} to={places.get(id)} />))}
        {nodes.map((node) => (
          <Box key={node.id} node={node} at={placeOf(node)} step={steps.find(({ step_id }) => step_id === node.id)} />
        ))}
      </svg>
    </div>
  );
}

interface Place {
  x: number;
  y: number;
}

const placeOf = ({ level, place }: GraphNode): Place => ({ x: place * (WIDTH + ACROSS), y: level * (HEIGHT + DOWN) });

function Edge({ from, to }: { from: Place | undefined; to: Place | undefined }) {
  if (!from || !to) return null;
  const [x1, y1, x2, y2] = [from.x + WIDTH / 2, from.y + HEIGHT, to.x + WIDTH / 2, to.y];
  const bend = Math.max(20, (y2 - y1) / 2);
  return <path class="edge" d={`M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}`} />;
}

function Box({ node, at, step }: { node: GraphNode; at: Place; step: Step | undefined }) {
  const status = step?.status ?? 'pending';
  return (
    <g class="step" data-status={status} transform={`translate(${at.x} ${at.y})`}>
      <rect width={WIDTH} height={HEIGHT} rx={8} />
      {step && <rect class="done" x={INSET} y={HEIGHT - 9} rx={1.5} width={((WIDTH - 2 * INSET) * step.progress) / 100} height={3} />}
      <text x={INSET} y={23} class="name">{shortened(node.name)}</text>
      <text x={INSET} y={42}>{statusName(status)}{step ? ` · ${durationText(secondsBetween(step.started_at, step.completed_at))}` : ''}</text>
    </g>
  );
}

const shortened = (name: string): string => (name.length > 20 ? `${name.slice(0, 19)}…` : name);
