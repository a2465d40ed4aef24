import { fileName } from './file-name.js';

describe(fileName, () => {
  it.each([
    ['art.png', 'png', 'art.png'],
    ['art.png', 'jpg', 'art.jpg'],
    ['art', 'svg', 'art.svg'],
    ['v1.2 final.jpeg', 'jpg', 'v1.2 final.jpg'],
    ['../../etc/passwd', 'txt', 'passwd.txt'],
    ['C:\\Users\\me\\photo.PNG', 'png', 'photo.png'],
    ['été 絵.png', 'png', 'été 絵.png'],
    ['a"b\r\nSet-Cookie: x.png', 'png', 'abSet-Cookie x.png'],
    ['evil\u202Egnp.exe', 'png', 'evilgnp.png'],
    ['.htaccess', 'txt', 'file.txt'],
    ['', 'bin', 'file.bin'],
  ])('makes of %j with bytes of %s %j', (given, extension, name) => expect(fileName(given, extension)).toBe(name));

  it('cuts what is too long, between characters', () => {
    expect(fileName('😀'.repeat(300), 'png')).toBe(`${'😀'.repeat(150)}.png`);
  });
});
