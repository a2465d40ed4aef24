import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { isSealed, type CollectionSeal, type Opener } from './collection-seal.js';

const PLACE = 'error';
const CLEAR = ['code', 'step_id'];

/** What a node says of its failure may quote what it was given. */
export const storedError = <Failure extends object>(seal: CollectionSeal | null | undefined, error: Failure): Failure =>
  seal ? (seal.closeMembers(error as JsonObject, CLEAR, PLACE) as unknown as Failure) : error;

/** As it was. Errors that are Platen's own are stored as they are. */
export const openedError = <Failure extends object | null | undefined>(opener: Opener, error: Failure): Failure =>
  isSealed(error) ? (opener.openMembers(error as unknown as JsonObject, PLACE) as unknown as Failure) : error;
