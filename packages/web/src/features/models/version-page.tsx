import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { downloadVersionOnnx } from '@touchstone/contracts/foreign';
import { downloadModelArtefact, getModelCard, getModelVersion } from '@touchstone/contracts/models';
import { QueryView } from '../../components/query-view.tsx';
import { SaveButton } from '../../components/save-button.tsx';
import { Badge, Panel } from '../../components/ui.tsx';
import { words } from '../../lib/format.ts';
import { apiQuery } from '../../lib/query.ts';
import { ModelFrame } from './model-frame.tsx';
import { VersionOverview } from './model-page.tsx';

export function VersionPage() {
  const { model, version } = useParams({ from: '/models/$model/versions/$version' });
  const detail = useQuery(apiQuery(getModelVersion, { params: { model, version } }));
  const card = useQuery(apiQuery(getModelCard, { params: { model, version } }));
  return (
    <ModelFrame
      actions={
        <>
          <SaveButton
            route={downloadModelArtefact}
            input={{ params: { model, version } }}
            fileName={`${model}-${version}.bin`}
          >
            Save the model
          </SaveButton>
          {(detail.data?.manifest.members ?? [])
            .filter(({ weight }) => weight > 0)
            .map(({ learner }) => (
              <SaveButton
                key={learner}
                route={downloadVersionOnnx}
                input={{ params: { model, version }, query: { member: learner } }}
                fileName={`${model}-${version}-${learner}.onnx`}
              >
                Save {words(learner)} as ONNX
              </SaveButton>
            ))}
        </>
      }
    >
      <div className="grid min-w-0 gap-4">
        <VersionOverview model={model} version={version} />
        <Panel title={`Card of version ${version}`} hint="Made from its manifest; nobody wrote it by hand.">
          <QueryView query={card} lines={8}>
            {({ sections, checklist }) => (
              <div className="grid gap-x-8 gap-y-5 md:grid-cols-2">
                {sections.map((section) => (
                  <section key={section.title}>
                    <h3 className="mb-1 text-sm font-semibold">{section.title}</h3>
                    <ul className="space-y-1 text-sm">
                      {section.lines.map((line) => (
                        <li key={line} className="break-words">
                          {line}
                        </li>
                      ))}
                    </ul>
                  </section>
                ))}
                {checklist.length > 0 && (
                  <section>
                    <h3 className="mb-1 text-sm font-semibold">Signed at its promotion</h3>
                    <ul className="space-y-1 text-sm">
                      {checklist.map(({ item, signed, note }) => (
                        <li key={item}>
                          {words(item)} <Badge tone={signed ? 'accent' : 'warn'}>{signed ? 'signed' : 'open'}</Badge>{' '}
                          {note}
                        </li>
                      ))}
                    </ul>
                  </section>
                )}
              </div>
            )}
          </QueryView>
        </Panel>
      </div>
    </ModelFrame>
  );
}
