import { captureRule, createsCanvas } from './capture-rule.js';

describe('captureRule', () => {
  it.each([
    ['function draw() { capture(); }', 'capture'],
    ['window.capture()', 'capture'],
    ['if (done) fxpreview ();', 'capture'],
    ['$fx.preview()', 'capture'],
    ['capture(); noLoop()', 'capture'],
    ['function setup() { noLoop() }', 'noLoop'],
    ['p.setup = () => p.noLoop()', 'noLoop'],
    ['function draw() {}', 'firstFrame'],
    ['// capture()\n/* noLoop() */', 'firstFrame'],
    ['const url = "http://x"; noLoop()', 'noLoop'],
    ['createCapture(VIDEO); capturer.capture(canvas); recapture()', 'firstFrame'],
    ['function capture() { saveCanvas() } capture()', 'firstFrame'],
    ['function fxpreview() {} $fx.preview()', 'capture'],
    ['notnoLoop()', 'firstFrame'],
  ])('%s: %s', (code, rule) => expect(captureRule(code)).toBe(rule));
});

describe('createsCanvas', () => {
  it.each([
    ['createCanvas(1, 1)', true],
    ['p.createCanvas(1, 1)', true],
    ['// createCanvas(1, 1)', false],
    ['function draw() {}', false],
  ])('%s: %s', (code, expected) => expect(createsCanvas(code)).toBe(expected));
});
