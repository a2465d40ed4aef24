import { signIn } from '../api/session.js';
import { Title } from '../elements/title.js';

/** Asks for a token where the address brought none. */
export function SignIn() {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement).get('token');
    if (typeof given === 'string' && given.trim()) signIn(given.trim());
  };
  return (
    <section class="narrow">
      <Title>Welcome to the studio</Title>
      <p>
        The studio speaks to Platen in your name. Open it by the address that <code>npm start</code> prints, or paste an
        access token or an API key here. It is kept in this tab only.
      </p>
      <form class="stack" onSubmit={submit}>
        <label class="field">
          <span>Access token</span>
          <input name="token" type="password" autocomplete="off" spellcheck={false} required
            pattern="\s*[\x21-\x7e]+\s*" title="Letters, digits and signs without a space between them" />
        </label>
        <button class="primary" type="submit">Enter</button>
      </form>
      <p class="quiet">
        A token for a development user: <code>npm run --silent token -- --sub $(uuidgen) --credits 100</code>
      </p>
    </section>
  );
}
