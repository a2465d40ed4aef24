import { applyDecorators } from '@nestjs/common';
import { IsString, Length, Matches } from 'class-validator';
import { MODEL_NAME } from '#libs/image-generations/image-models.js';

/** A model as its owner names it at Replicate. */
export const IsModel = () => Matches(MODEL_NAME, { message: '$property must be owner/name, with a :version if it is no official model' });

/** `16:9`, or `match_input_image`. */
export const IsAspectRatio = () =>
  Matches(/^([1-9]\d?:[1-9]\d?|match_input_image)$/, { message: '$property must be like 16:9, or match_input_image' });

/** Words, and not only spaces. */
export const IsPrompt = () =>
  applyDecorators(IsString(), Length(1, 2_000), Matches(/\S/, { message: '$property must not be blank' }));
