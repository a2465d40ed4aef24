import { readWorkflow } from '../api/platen.js';
import { hrefOf } from '../app/router.js';
import { Loading, useLoaded } from '../elements/loading.js';
import { Title } from '../elements/title.js';
import { Emblem } from './emblem.js';
import { OrderForm } from './order-form.js';

export function WorkflowPage({ id }: { id: string }) {
  const workflow = useLoaded(() => readWorkflow(id), id);
  return (
    <Loading of={workflow}>
      {(found) => (
        <div class="split">
          <aside>
            <Emblem seed={found.name} />
            <p class="quiet"><a href={hrefOf('/')}>All workflows</a></p>
          </aside>
          <section>
            <Title>{found.label ?? found.name}</Title>
            {found.description && <p class="lead">{found.description}</p>}
            {found.output_mime_type === null || found.type === 'basic'
              ? <p class="quiet">This workflow makes nothing by itself: it is a form for other programs.</p>
              : <OrderForm workflow={found} />}
          </section>
        </div>
      )}
    </Loading>
  );
}
