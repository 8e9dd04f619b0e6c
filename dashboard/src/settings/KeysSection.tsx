import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { createSecretKey, revokeSecretKey } from '../api/endpoints';
import type { Project, SecretKey } from '../api/model';
import { secretKeysQuery } from '../api/queries';
import { Button, CopyButton, Dialog, ErrorState, Icon, Skeleton, Time, toast, toastFailure } from '../ui';
import { Panel } from './Panel';

/** The public key, and the secret keys that open the API. */
export function KeysSection({ project }: { project: Project }) {
  const queries = useQueryClient();
  const keys = useQuery(secretKeysQuery(project.id));
  const [created, setCreated] = useState<string | null>(null);
  const [revoking, setRevoking] = useState<SecretKey | null>(null);
  const refresh = () => queries.invalidateQueries({ queryKey: secretKeysQuery(project.id).queryKey });
  const create = useMutation({
    mutationFn: () => createSecretKey(project.id),
    onSuccess: (key) => {
      setCreated(key.secret_key);
      void refresh();
    },
    onError: toastFailure('The key could not be created'),
  });
  return (
    <Panel
      id="keys"
      title="Keys"
      about="The public key only lets pages send recordings. Secret keys read this project over the API: keep them on servers."
    >
      <div className="key-row">
        <span className="key-name">Public key</span>
        <code className="mono ell">{project.public_key}</code>
        <CopyButton compact text={project.public_key} label="Copy public key" />
      </div>
      <h3 className="panel-sub">Secret keys</h3>
      {keys.isPending && <Skeleton width="60%" />}
      {keys.isError && !keys.data && (
        <ErrorState title="Keys could not be loaded" error={keys.error} retry={() => void keys.refetch()} />
      )}
      {keys.data?.length === 0 && <p className="muted-text">None. Create one to read this project over the API.</p>}
      <ul aria-label="Secret keys">
        {keys.data?.map((key) => (
          <li className="key-row" key={key.id}>
            <Icon name="key" small />
            <code className="mono">phs_…{key.hint}</code>
            <span className="muted-text grow">
              created <Time at={key.created_at} />
            </span>
            <Button
              kind="ghost"
              aria-label={`Revoke the key that ends in ${key.hint}`}
              onClick={() => {
                setRevoking(key);
              }}
            >
              Revoke
            </Button>
          </li>
        ))}
      </ul>
      <div className="panel-actions">
        <Button
          disabled={create.isPending}
          onClick={() => {
            create.mutate();
          }}
        >
          <Icon name="plus" small />
          Create secret key
        </Button>
      </div>
      <CreatedKey
        secret={created}
        onClose={() => {
          setCreated(null);
        }}
      />
      <RevokeKey
        projectId={project.id}
        secretKey={revoking}
        onClose={(revoked) => {
          setRevoking(null);
          if (revoked) void refresh();
        }}
      />
    </Panel>
  );
}

function CreatedKey({ secret, onClose }: { secret: string | null; onClose: () => void }) {
  return (
    <Dialog
      open={secret !== null}
      title="Your new secret key"
      onClose={onClose}
      actions={
        <>
          <CopyButton kind="primary" text={secret ?? ''} label="Copy key" />
          <Button onClick={onClose}>Done</Button>
        </>
      }
    >
      <p>Copy it now: only its hash is kept, and it is not shown again.</p>
      <pre className="code-block" tabIndex={0} aria-label="Secret key">
        {secret}
      </pre>
    </Dialog>
  );
}

interface RevokeKeyProps {
  projectId: string;
  secretKey: SecretKey | null;
  onClose: (revoked: boolean) => void;
}

function RevokeKey({ projectId, secretKey, onClose }: RevokeKeyProps) {
  const revoke = useMutation({
    mutationFn: (key: SecretKey) => revokeSecretKey(projectId, key.id),
    onSuccess: (_, key) => {
      toast(`The key phs_…${key.hint} is revoked`, 'ok');
      onClose(true);
    },
    onError: toastFailure('The key could not be revoked'),
  });
  return (
    <Dialog
      open={secretKey !== null}
      title="Revoke this key?"
      onClose={() => {
        onClose(false);
      }}
      actions={
        <>
          <Button
            onClick={() => {
              onClose(false);
            }}
          >
            Keep it
          </Button>
          <Button
            kind="danger"
            disabled={revoke.isPending}
            onClick={() => {
              if (secretKey) revoke.mutate(secretKey);
            }}
          >
            {revoke.isPending ? 'Revoking…' : 'Revoke'}
          </Button>
        </>
      }
    >
      <p>
        Programs that use <code className="mono">phs_…{secretKey?.hint}</code> are refused at once. This cannot be
        undone.
      </p>
    </Dialog>
  );
}
