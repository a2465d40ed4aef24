/**
 * SQL of where a lane stands for a priority: at the turn of its next claim, or behind its last one when none is
 * pending. Only this priority's queue tells: an urgent generation that overtook a long queue has a far later turn than
 * those who still wait. What is paused has no turn to go by.
 */
export const standOf = ({ lane, priority }: { lane: string; priority: string }): string => `
    coalesce(
      (select turn - 1 from generation
        where lane = ${lane} and priority = ${priority} and status = 'pending' and wake_at is not null and paused_by is null
        order by turn limit 1),
      (select max(turn) from generation where lane = ${lane} and started_at is not null),
      0)`;
