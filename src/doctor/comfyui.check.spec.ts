import { atRest, buildPatient } from '../../test/factories/patient.js';
import { ComfyStandIn } from '../../test/setup/comfyui/stand-in.js';
import { comfyuiCheck } from './comfyui.check.js';

const examine = (urls: string) => comfyuiCheck.examine(buildPatient({ COMFYUI_URLS: urls }), atRest);

it('asks each server, and tells which one refuses or is away', async () => {
  const standIn = await ComfyStandIn.start({ key: { name: 'authorization', value: 'Bearer tok-4711' } });
  const { host } = new URL(standIn.url);
  const findings = await examine(`http://bearer:tok-4711@${host},http://bearer:tok-other@${host},http://127.0.0.1:1`);
  expect(findings).toMatchObject([
    { verdict: 'ok', text: expect.stringMatching(new RegExp(`^${host}: ComfyUI `)) },
    { verdict: 'fail', text: expect.stringContaining('refuses the credentials') },
    { verdict: 'fail', text: expect.stringContaining('127.0.0.1:1 does not answer') },
  ]);
  expect(JSON.stringify(findings)).not.toContain('tok-');
  await standIn.close();
});

it('has nothing against an installation without any', async () => {
  expect(await examine('')).toMatchObject([{ verdict: 'ok' }]);
});
