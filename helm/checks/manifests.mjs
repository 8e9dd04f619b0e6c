// Whether manifests are what Kubernetes takes: every needed field is there and has its type (the models' validation), and there is no
// field that Kubernetes does not know (the compiler, on the models' types).
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import ts from 'typescript';

const OPERATORS = { 'keda.sh': 'keda', 'monitoring.coreos.com': 'prometheus-operator' };

/** What is wrong with manifests, one sentence each. */
export async function faults(manifests) {
  const found = [];
  for (const manifest of manifests) {
    const { [manifest.kind]: Model } = await import(moduleOf(manifest));
    try {
      new Model(manifest).validate();
    } catch (error) {
      found.push(`${nameOf(manifest)}: ${error.message}`);
    }
  }
  return [...found, ...unknownFields(manifests)];
}

export const nameOf = ({ kind, metadata }) => `${kind} ${metadata.name}`;

function moduleOf({ apiVersion, kind }) {
  const operator = OPERATORS[apiVersion.split('/')[0]];
  return operator ? `@kubernetes-models/${operator}/${apiVersion}/${kind}` : `kubernetes-models/${apiVersion}/${kind}`;
}

/** Literals may hold only fields that their type declares, at any depth. */
function unknownFields(manifests) {
  // Within this folder, where the models are found.
  const folder = mkdtempSync(new URL('./.types-', import.meta.url).pathname);
  try {
    const file = `${folder}/manifests.ts`;
    const lines = manifests.map((manifest, at) => {
      const type = `import('${moduleOf(manifest)}').I${manifest.kind}`;
      return `export const m${at}: ${type} = ${JSON.stringify(manifest)};`;
    });
    writeFileSync(file, lines.join('\n'));
    const program = ts.createProgram([file], {
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      noEmit: true,
      skipLibCheck: true,
      strict: true,
      target: ts.ScriptTarget.ES2022,
      types: [],
    });
    return ts.getPreEmitDiagnostics(program).map(({ file: source, start, messageText }) => {
      const text = ts.flattenDiagnosticMessageText(messageText, ' ');
      if (!source) return text;
      return `${nameOf(manifests[source.getLineAndCharacterOfPosition(start).line])}: ${text}`;
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
