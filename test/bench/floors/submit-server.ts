import { Queue } from 'bullmq';
import Fastify from 'fastify';
import { Redis } from 'ioredis';
import pg from 'pg';
import { given, serveBench } from '../child.js';
import { insertSubmission, markDispatched, type BareSubmission } from './rows.js';

/*
 * What a submission costs with nothing but the libraries: Fastify, one plain transaction, one entry in
 * BullMQ, one mark that it was made. No authentication, no price to work out, no workflow to look up.
 */
const pool = new pg.Pool({ connectionString: given('DATABASE_URL'), max: 20 });
const queue = new Queue('bare', { connection: new Redis(given('REDIS_URL'), { maxRetriesPerRequest: null }) });
const app = Fastify();

const schema = {
  body: {
    type: 'object',
    required: ['title', 'workflow_id', 'user_id', 'key'],
    properties: {
      title: { type: 'string', minLength: 1, maxLength: 100 },
      workflow_id: { type: 'string' },
      user_id: { type: 'string' },
      key: { type: 'string' },
      generations: { type: 'integer', minimum: 1, maximum: 1_000, default: 1 },
    },
  },
};

interface Body extends Pick<BareSubmission, 'title' | 'generations' | 'key'> {
  workflow_id: string;
  user_id: string;
}

app.post<{ Body: Body }>('/submit', { schema }, async (request, reply) => {
  const { title, workflow_id: workflowId, user_id: userId, key, generations } = request.body;
  const client = await pool.connect();
  const job = await insertSubmission(client, { title, workflowId, userId, key, generations }).finally(() =>
    client.release(),
  );
  await queue.addBulk(job.generationIds.map((id) => ({
    name: 'run',
    data: { generationId: id, jobId: job.jobId, userId },
    opts: { jobId: id, attempts: 1, removeOnComplete: true, removeOnFail: true },
  })));
  await pool.query(markDispatched, [job.jobId]);
  reply.code(201);
  return { success: true, data: { job_id: job.jobId, collection_id: job.collectionId } };
});

serveBench(await app.listen({ port: 0, host: '127.0.0.1' }));
