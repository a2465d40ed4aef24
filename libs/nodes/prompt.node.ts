import type { ChatModel } from '#libs/providers/chat-model.js';
import { defineNode, inputFault, type NodeContext } from './node.js';
import { answerOf, readReference, referenceTo } from './prompt-answer.js';

interface PromptPayload {
  template: string | number | boolean;
  model?: string;
}

/**
 * Writes a text. `{red|green|blue}` becomes one of its alternatives, `{3::red|blue}` one in proportion to
 * its weight (1 where none is written), picked by the edition's hash. Alternatives may be empty and may
 * stand inside others. Braces without a `|` stay as they are, and so does what follows a backslash:
 * `\{a\|b\}` is `{a|b}`. Values that were put into the template count as if written there.
 *
 * With `model` the text is what a language model answers to it, which no hash decides: the checkpoint keeps it.
 */
export const promptNode = (chat: ChatModel) => defineNode<PromptPayload>({
  name: 'prompt',
  aliases: [],
  title: 'Prompt',
  lane: 'default',
  payload: {
    type: 'object',
    required: ['template'],
    additionalProperties: false,
    properties: {
      // A template that is exactly one `{{variable}}` arrives with that variable's type.
      template: { type: ['string', 'number', 'boolean'], maxLength: 100_000 },
      /** As the endpoint of OPENAI_BASE_URL names it. */
      model: { type: 'string', minLength: 1, maxLength: 200 },
    },
  },
  timeLimitMs: 150_000,
  immediate: ({ model }) => model === undefined,
  asksOutside: ({ model }) => model !== undefined,
  check: ({ template }) => templateFaults(template),
  async run(context) {
    const { payload: { model }, token } = context;
    const message = textOf(context);
    return model === undefined
      ? { kind: 'done', value: message }
      : answerOf(chat, { model, message, key: token }, context);
  },
  async poll(context, stored) {
    const { key, ...before } = readReference(stored);
    return answerOf(chat, { model: context.payload.model ?? '', message: textOf(context), key }, context, before);
  },
  find: async ({ payload }, lostToken) => (payload.model === undefined ? null : referenceTo(lostToken)),
});

function textOf({ payload, random }: Pick<NodeContext<PromptPayload>, 'payload' | 'random'>): string {
  const [fault] = templateFaults(payload.template);
  if (fault) throw inputFault('INVALID_PAYLOAD', `${fault.path} ${fault.message}`);
  return replaceAlternatives(String(payload.template), (options) =>
    random.weightedPick(options, options.map(({ weight }) => weight)).text,
  );
}

interface Option {
  text: string;
  weight: number;
}

/** Each level reads what is inside it once more. */
const MAX_DEPTH = 50;
const TOO_DEEP = `must not have more than ${MAX_DEPTH} braces inside each other`;
const NO_WEIGHT = 'must give some alternative a weight above zero';
const TOKEN = /\\[{}|\\]|[{}|]|[^\\{}|]+|\\/g;
/** Bounded: it is looked for at each level of braces. */
const WEIGHT = /^\s{0,20}(\d{1,9}(?:\.\d{1,9})?)::/;

/** The template with each group of alternatives, innermost first, replaced by what `pick` says. */
function replaceAlternatives(template: string, pick: (options: Option[]) => string): string {
  // The text so far of each open brace's alternatives; below them all, the text around.
  const open: string[][] = [['']];
  const write = (text: string) => {
    const texts = open.at(-1) as string[];
    texts.push((texts.pop() as string) + text);
  };
  for (const [token] of template.matchAll(TOKEN)) {
    if (token === '{') open.push(['']);
    else if (token === '|' && open.length > 1) (open.at(-1) as string[]).push('');
    else if (token === '}' && open.length > 1) {
      const texts = open.pop() as string[];
      write(texts.length > 1 ? pick(texts.map(optionOf)) : `{${texts[0]}}`);
    } else write(token.length === 2 && token.startsWith('\\') ? token.slice(1) : token);
  }
  const [around, ...unclosed] = open.map((texts) => texts.join('|'));
  return [around, ...unclosed].join('{');
}

function optionOf(text: string): Option {
  const weight = WEIGHT.exec(text);
  return weight ? { text: text.slice(weight[0].length), weight: Number(weight[1]) } : { text, weight: 1 };
}

function templateFaults(template: PromptPayload['template']): Array<{ path: string; message: string }> {
  const path = 'template';
  if (depthOf(String(template)) > MAX_DEPTH) return [{ path, message: TOO_DEEP }];
  return hasPickableAlternatives(template) ? [] : [{ path, message: NO_WEIGHT }];
}

/** How many braces are open at once at most, as `replaceAlternatives` counts them. */
function depthOf(template: string): number {
  let [depth, deepest] = [0, 0];
  for (const [token] of template.matchAll(TOKEN)) {
    if (token === '{') deepest = Math.max(deepest, ++depth);
    else if (token === '}' && depth > 0) depth--;
  }
  return deepest;
}

function hasPickableAlternatives(template: PromptPayload['template']): boolean {
  let isPickable = true;
  replaceAlternatives(String(template), (options) => {
    isPickable &&= options.some(({ weight }) => weight > 0);
    return options[0]?.text ?? '';
  });
  return isPickable;
}
