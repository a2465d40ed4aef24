import { useState } from 'preact/hooks';
import { sentenceOf } from '../api/client.js';
import { publish } from '../api/platen.js';
import type { OwnCollection } from '../api/shapes.js';

/** Shows the collection to everyone. Before its date it is only said that it shall be. */
export function Publish({ collection, canPublish, onPublished }: {
  collection: OwnCollection;
  canPublish: boolean;
  onPublished: () => void;
}) {
  const [said, say] = useState('');
  if (collection.status === 'published') return null;
  const send = () => {
    say('Publishing …');
    publish(collection.id).then(({ status }) => {
      say(status === 'published' ? '' : 'It will be published on its date.');
      onPublished();
    }, (error: unknown) => say(sentenceOf(error)));
  };
  return (
    <div class="publish">
      <button class="primary" type="button" disabled={!canPublish} onClick={send}>Publish</button>
      <span class="quiet" role="status">{said}</span>
    </div>
  );
}
