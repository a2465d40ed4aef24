import { judgeNode } from './node.check.js';

it.each([
  ['v20.19.0', 'ok'], ['v22.1.0', 'ok'], ['v20.18.3', 'fail'], ['v18.20.0', 'fail'],
])('Node %s is judged %s', (version, verdict) => {
  expect(judgeNode(version)).toMatchObject({ verdict, text: version });
});
