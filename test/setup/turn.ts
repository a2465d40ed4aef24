/**
 * Whether `name` is what this run of all tests takes of `names`, which do not fit into it together: each in its turn,
 * by chance. A run of chosen files takes all of them.
 */
export function isInTurn(name: string, names: readonly string[]): boolean {
  const turn = process.env['PLATEN_TEST_TURN'];
  return turn === undefined || names[Number(turn) % names.length] === name;
}
