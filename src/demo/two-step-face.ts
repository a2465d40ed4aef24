import type { Platen } from '#libs/client/index.js';
import type { TwoStepView } from '#libs/image-generations/two-step-view.js';
import { CommandFailure } from '../command-failure.js';
import { Conversation } from './conversation.js';
import type { Exhibition } from './demo-face.js';
import type { Picture } from './output-folder.js';

const WISHES = [
  { style: 'realistic', customPrompt: 'Show it at dawn.' },
  { style: 'artistic', customPrompt: 'Show it at sunset.' },
  { style: 'minimal', customPrompt: 'Show it at night.' },
];
/** The provider loads it; the stand-in does not. */
const PRODUCT = { productImages: ['https://images.example/hills.jpg'], model: 'google/nano-banana' };

/** Of its events, those that tell of the image. */
const TOLD = new Set([
  'generation_waiting', 'generation_resumed', 'generation_retrying', 'image_generated', 'generation_completed',
]);

/** Three records that reserve their price; then each is begun, one at a time: the free plan has one in flight. */
export async function makeTwoStepImages(client: Platen): Promise<Exhibition> {
  const talk = new Conversation(client);
  const ids: string[] = [];
  talk.begin('Create: the price is reserved and the prompt composed; nothing runs yet');
  for (const wish of WISHES) {
    const body = { ...PRODUCT, ...wish, quality: 'high', aspectRatio: '1:1' };
    const shown = ['generationId', 'estimatedCost', 'status'] as const;
    ids.push((await talk.post<TwoStepView>('/api/generation/create', body, shown)).generationId);
  }

  talk.begin('Generate: each begins when it is told to, and its events are followed');
  const pictures: Picture[] = [];
  for (const [index, generationId] of ids.entries()) {
    await talk.post<TwoStepView>('/api/generate', { generationId }, ['status']);
    const made = await follow(client, talk, generationId);
    pictures.push(await pictureOf(client, made, index));
  }
  const subtitle = 'The two-step API: one subject in three styles; painted by a stand-in for Replicate';
  return { title: 'Hills', subtitle, kind: 'images', pictures };
}

async function follow(client: Platen, talk: Conversation, id: string): Promise<TwoStepView> {
  const path = `/api/generation/${id}`;
  for await (const { type } of client.events(`${path}/events`)) if (TOLD.has(type)) talk.news(type);
  const generation = await client.request<TwoStepView>('get', path);
  if (generation.status !== 'completed') {
    throw new CommandFailure(`It is ${generation.status}: ${generation.error ?? ''}`);
  }
  talk.answer(generation, ['status', 'tokensUsed', 'processingTime']);
  return generation;
}

async function pictureOf(client: Platen, made: TwoStepView, index: number): Promise<Picture> {
  const image = Buffer.from(await client.download(made.resultImages[0] ?? ''));
  const { style, quality } = made.parameters;
  const name = `${index + 1}   ${WISHES[index]?.customPrompt}`;
  return { file: `image-${index + 1}.jpg`, image, name, notes: [`style ${String(style)}`, `quality ${String(quality)}`] };
}
