import type { FixedPrice } from '#libs/credits/pricing.js';
import type { InstructionSet, Step } from '#libs/instruction-set/instruction-set.js';

/** Draws rings by the hash, in the edition's own colour, and says how many. */
const RINGS = `
  function setup() {
    createCanvas(windowWidth, windowHeight);
    const rings = Math.floor(fxrand() * 20) + 3;
    $fx.features({ Rings: rings });
    background(250);
    noFill();
    colorMode(HSB);
    for (let ring = 0; ring < rings; ring++) {
      stroke(random(360), 80, 80);
      circle(random(width), random(height), random(width));
    }
    noLoop();
  }
`;

/** Steps of four kinds, each fed by the ones before: by reference, and by references inside texts. */
export const FOUR_KINDS: Step[] = [
  {
    id: 'mood', nodeName: 'variables',
    nodePayload: {
      variables: [
        {
          name: 'Palette', type: 'weighted_pick', value_type: 'strings',
          value: { values: ['ember', 'lagoon', 'moss'], weights: [1, 2, 3] },
        },
      ],
    },
  },
  {
    id: 'line', nodeName: 'prompt',
    nodePayload: { template: '{{subject}} in {{$ref:mood.Palette}}, {3::quiet|loud}' },
  },
  {
    id: 'plan', nodeName: 'javascript',
    nodePayload: {
      inputs: {
        line: { $ref: 'line' },
        caption: 'Of {{$ref:mood.Palette}}: {{$ref:line}}',
        side: '{{side}}',
      },
      code: 'return { side: inputs.side + inputs.line.length, caption: inputs.caption, draw: random() };',
    },
  },
  {
    id: 'art', nodeName: 'p5', alias: 'art',
    nodePayload: {
      code: RINGS,
      width: { $ref: 'plan', path: 'side' },
      height: { $ref: 'plan', path: 'side' },
    },
  },
];

/** Body of `POST /workflows`: the steps behind a form with a subject and a size. */
export const formWorkflow = (name: string, credits: FixedPrice, steps: Step[]) => ({
  name,
  label: name,
  type: 'pipeline',
  output_mime_type: 'image/png',
  data: {
    form: {
      fields: [
        { id: 'subject', type: 'input', default: 'Rings' },
        { id: 'side', type: 'slider', default: 120, constraints: { min: 50, max: 500, step: 1 } },
      ],
    },
    credits,
    pipeline: { version: 'v2', steps },
  },
});

/** `data` of a collection whose editions have these hashes. */
export const setOfHashes = (
  steps: Step[],
  hashes: string[],
  variables: InstructionSet['variables'] = {},
): InstructionSet => ({
  version: 'v2',
  steps,
  generations: { hashes, generations: hashes.length, use_custom_hashes: true },
  variables,
});

/** A step that computes for `rounds` million rounds: 25 to 50 ms each. */
export const busyStep = (id: string, rounds: number, inputs: Step['nodePayload'] = {}): Step => ({
  id,
  nodeName: 'javascript',
  nodePayload: {
    inputs,
    code: `let n = 0; for (let i = 0; i < ${rounds}e6; i++) n = (n + i) % 1000; return n;`,
    time_limit_ms: 60_000,
  },
});

/** A step that is done at once. */
export const quickStep = (id: string, inputs: Step['nodePayload'] = {}): Step => ({
  id,
  nodeName: 'javascript',
  nodePayload: { inputs, code: 'return hash;' },
});
