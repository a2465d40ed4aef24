import { setTimeout as delay } from 'node:timers/promises';
import type { Platen } from '#libs/client/index.js';
import type { V1View } from '#libs/image-generations/v1-view.js';
import { CommandFailure } from '../command-failure.js';
import { Conversation } from './conversation.js';
import type { Exhibition } from './demo-face.js';
import type { Picture } from './output-folder.js';

const PATH = '/api/v1/generations';
const SHOWN = ['id', 'predictionId'] as const;
const ASK_EVERY_MS = 100;
const PATIENCE_MS = 60_000;

/** An image from words, and two from that image: one at a time, since the free plan has one in flight. */
export async function makeV1Images(client: Platen): Promise<Exhibition> {
  const talk = new Conversation(client);
  const order = { prompt: 'Hills at dawn', aspectRatio: '1:1' };
  const key = { 'Idempotency-Key': 'hills-at-dawn' };

  talk.begin('From words alone');
  const first = await follow(client, talk, await talk.post<V1View>(PATH, order, SHOWN, key));
  const pictures = [await pictureOf(client, first, 1)];

  talk.begin('Once more, as if the answer had been lost: one key, one generation, one price');
  await talk.post<V1View>(PATH, order, ['id'], key);

  talk.begin('From an image: the first result, uploaded');
  for (const [index, hour] of ['sunset', 'night'].entries()) {
    const form = formOf(`The same hills at ${hour}`, pictures[0] as Picture);
    const made = await follow(client, talk, await talk.post<V1View>(PATH, form, SHOWN));
    pictures.push(await pictureOf(client, made, index + 2));
  }
  const subtitle = 'The v1 API: one image from words, two from that image; painted by a stand-in for Replicate';
  return { title: 'Hills', subtitle, kind: 'images', pictures };
}

function formOf(prompt: string, { file, image }: Picture): FormData {
  const form = new FormData();
  form.set('prompt', prompt);
  form.set('input1', new File([new Uint8Array(image)], file));
  return form;
}

/** Asks until it has ended, and tells of each change. */
async function follow(client: Platen, talk: Conversation, submitted: V1View): Promise<V1View> {
  const deadline = performance.now() + PATIENCE_MS;
  for (let told = ''; ; await delay(ASK_EVERY_MS)) {
    const generation = await client.request<V1View>('get', `${PATH}/${submitted.id}`);
    const { status, error } = generation;
    if (status !== told) talk.news(status);
    told = status;
    if (status === 'succeeded') return generation;
    if (error || status === 'canceled') throw new CommandFailure(`It is ${status}: ${error?.message ?? ''}`);
    if (performance.now() > deadline) throw new CommandFailure(`It is still ${status}.`);
  }
}

async function pictureOf(client: Platen, { settings, variants }: V1View, number: number): Promise<Picture> {
  const [variant] = variants;
  const image = Buffer.from(await client.download(variant?.url ?? ''));
  const notes = [settings.mode, `${variant?.width} × ${variant?.height}`];
  return { file: `image-${number}.jpg`, image, name: `${number}   ${settings.prompt}`, notes };
}
