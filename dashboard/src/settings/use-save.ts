import { useMutation, useQueryClient } from '@tanstack/react-query';
import { updateProject } from '../api/endpoints';
import type { Project, ProjectPatch } from '../api/model';
import { asProblem } from '../api/problem';
import { projectsQuery } from '../api/queries';
import { toast, toastFailure } from '../ui';

/** Saves settings of a project. What is refused because of a field is left to the form, which shows it there. */
export function useSave(project: Project, said: string, onSaved: (updated: Project) => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (change: ProjectPatch) => updateProject(project.id, change),
    onSuccess: (updated) => {
      queries.setQueryData(projectsQuery.queryKey, (known) =>
        known?.map((candidate) => (candidate.id === updated.id ? updated : candidate)),
      );
      onSaved(updated);
      toast(said, 'ok');
    },
    onError: (error) => {
      if (asProblem(error).field === null) toastFailure('Settings could not be saved')(error);
    },
  });
}
