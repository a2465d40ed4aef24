import { parser } from '@prometheus-io/lezer-promql';

/** What a query asks for. */
export interface Asked {
  /** Each metric, with the labels that it is narrowed by. */
  metrics: Array<{ name: string; labels: string[] }>;
  /** Labels that results are grouped and joined by. */
  groupings: string[];
}

/** Reads a query as Prometheus does, Grafana's variables filled in. Throws when it is none. */
export function askedBy(query: string): Asked {
  const text = query.replaceAll('$__rate_interval', '5m');
  const asked: Asked = { metrics: [], groupings: [] };
  parser.parse(text).iterate({
    enter: ({ type, from, to, node }) => {
      if (type.isError) throw new Error(`No query: ${text}, at ${text.slice(from)}`);
      if (type.name === 'VectorSelector') asked.metrics.push({ name: '', labels: [] });
      const word = text.slice(from, to);
      const metric = asked.metrics.at(-1);
      if (type.name === 'Identifier' && metric) metric.name = word;
      if (type.name === 'LabelName') (node.parent?.name === 'GroupingLabels' ? asked.groupings : metric?.labels)?.push(word);
    },
  });
  return asked;
}
