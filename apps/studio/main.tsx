import { render } from 'preact';
import { restoreSession } from './api/session.js';
import { App } from './app/app.js';
import { startRouter } from './app/router.js';

restoreSession();
startRouter();
render(<App />, document.getElementById('studio') as HTMLElement);
