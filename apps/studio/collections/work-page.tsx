import { listJobs, listOwn } from '../api/platen.js';
import type { Collection, JobSummary } from '../api/shapes.js';
import { hrefOf } from '../app/router.js';
import { counted, creditsText, timeText } from '../elements/amounts.js';
import { Pages } from '../elements/pages.js';
import { Status } from '../elements/status.js';
import { Title } from '../elements/title.js';
import { CollectionCard } from './collection-card.js';

const jobsFrom = (cursor?: string) => listJobs({ cursor, limit: 20 });

/** The caller's collections and jobs, newest first. */
export function WorkPage() {
  return (
    <>
      <Title>Your work</Title>
      <h2>Collections</h2>
      <Pages load={listOwn}>{(collections) => <Collections collections={collections} />}</Pages>
      <h2>Jobs</h2>
      <Pages load={jobsFrom}>{(jobs) => <Jobs jobs={jobs} />}</Pages>
    </>
  );
}

function Collections({ collections }: { collections: Collection[] }) {
  if (collections.length === 0) return <p class="quiet">None yet. <a href={hrefOf('/')}>Make the first</a></p>;
  return (
    <ul class="cards">
      {collections.map((collection) => (
        <li key={collection.id}>
          <CollectionCard collection={collection} href={hrefOf(`/collections/${collection.id}`)}>
            <p><Status of={collection.status} /></p>
          </CollectionCard>
        </li>
      ))}
    </ul>
  );
}

function Jobs({ jobs }: { jobs: JobSummary[] }) {
  if (jobs.length === 0) return <p class="quiet">None yet.</p>;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Jobs">
      <table>
        <thead><tr><th>Job</th><th>State</th><th>Editions</th><th class="number">Spent</th><th>Begun</th></tr></thead>
        <tbody>{jobs.map((job) => <JobRow key={job.id} job={job} />)}</tbody>
      </table>
    </div>
  );
}

const JobRow = ({ job: { id, name, status, counts, cost, created_at } }: { job: JobSummary }) => (
  <tr>
    <td><a href={hrefOf(`/jobs/${id}`)}>{name}</a></td>
    <td><Status of={status} /></td>
    <td>{counts.completed} of {counted(counts.total, 'edition')}</td>
    <td class="number">{creditsText(cost.captured)}</td>
    <td>{timeText(created_at)}</td>
  </tr>
);
