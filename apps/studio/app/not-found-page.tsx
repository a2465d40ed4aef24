import { Title } from '../elements/title.js';
import { hrefOf } from './router.js';

export function NotFoundPage() {
  return (
    <section class="narrow">
      <Title>Nothing hangs here</Title>
      <p>There is no such page in the studio. <a href={hrefOf('/')}>Back to the workflows</a></p>
    </section>
  );
}
