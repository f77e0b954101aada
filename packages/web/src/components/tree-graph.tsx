import { useMemo, useRef } from 'react';
import { formatNumber } from '../lib/format.ts';
import { layOutTree } from '../lib/tree-layout.ts';
import { useWidth } from '../lib/use-width.ts';

export type TreeNode = { name: string; group?: number };
export type TreeLink = { a: number; b: number; value: number };

const HEIGHT_MAX = 520;
const NAMES_MAX = 80;
const LOOKS = ['fill-accent', 'fill-warn', 'fill-bad', 'fill-ink', 'fill-strong-line', 'fill-soft'];

/** A tree of relations; the thicker an edge, the closer. The list beside it says the same in words. */
export function TreeGraph({
  label,
  nodes,
  links,
}: {
  label: string;
  nodes: readonly TreeNode[];
  links: readonly TreeLink[];
}) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const places = useMemo(() => layOutTree(nodes.length, links), [nodes.length, links]);
  const height = Math.min(HEIGHT_MAX, Math.max(260, width));
  const x = (node: number) => width / 2 + (places[node]?.x ?? 0) * (width / 2 - 44);
  const y = (node: number) => height / 2 + (places[node]?.y ?? 0) * (height / 2 - 22);
  return (
    <div ref={frame} role="img" aria-label={label} className="relative" style={{ height }}>
      {width > 0 && (
        <svg width={width} height={height} aria-hidden="true" className="absolute inset-0 block select-none">
          {links.map((link) => (
            <line
              key={`${link.a}-${link.b}`}
              x1={x(link.a)}
              y1={y(link.a)}
              x2={x(link.b)}
              y2={y(link.b)}
              className="stroke-strong-line"
              strokeWidth={0.5 + 3 * Math.abs(link.value)}
              opacity="0.6"
            >
              <title>{`${nodes[link.a]?.name} and ${nodes[link.b]?.name} ${formatNumber(link.value, 2)}`}</title>
            </line>
          ))}
          {nodes.map((node, index) => (
            <g key={node.name}>
              <circle
                cx={x(index)}
                cy={y(index)}
                r={nodes.length > NAMES_MAX ? 3 : 5}
                className={LOOKS[(node.group ?? 0) % LOOKS.length]}
              >
                <title>{node.name}</title>
              </circle>
              {nodes.length <= NAMES_MAX && (
                <text x={x(index)} y={y(index) - 9} textAnchor="middle" className="fill-ink text-xs">
                  {node.name}
                </text>
              )}
            </g>
          ))}
        </svg>
      )}
    </div>
  );
}
