// Generated from openapi.json by `npm run generate`. Do not edit.

export interface paths {
    "/api/v1/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who asks. */
        get: operations["me"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The projects that the credential opens. */
        get: operations["list_projects"];
        put?: never;
        /** Creates a project. Its secret key is shown in this answer and never again. */
        post: operations["create_project"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A project with its settings. */
        get: operations["get_project"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Changes settings. Gateways and processors follow within seconds. */
        patch: operations["change_project"];
        trace?: never;
    };
    "/api/v1/projects/{project}/alerts/channels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The project's channels, without their secrets. */
        get: operations["list_channels"];
        put?: never;
        /** Creates a channel. At most 20 in a project. */
        post: operations["create_channel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/alerts/channels/{channel}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Deletes a channel. Rules that name it tell nobody there any more. */
        delete: operations["delete_channel"];
        options?: never;
        head?: never;
        /** Changes a channel. */
        patch: operations["change_channel"];
        trace?: never;
    };
    "/api/v1/projects/{project}/alerts/channels/{channel}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Sends a message that says that it is a test, and tells what came of it. At most ten a minute for a project. */
        post: operations["test_channel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/alerts/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The newest tries to tell somebody. Kept for 30 days. */
        get: operations["list_deliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/alerts/firings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The newest firing of each rule and issue, those that triggered last first. Kept for 30 days after it changed. */
        get: operations["list_firings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/alerts/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What a rule would have fired over the last seven days, before it is saved. */
        post: operations["preview_rule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/alerts/rules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The rules of a project. A new one has some, which tell nobody until they are given channels. */
        get: operations["list_rules"];
        put?: never;
        /** Creates a rule. A project has at most 50. */
        post: operations["create_rule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/alerts/rules/{rule}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One rule. */
        get: operations["get_rule"];
        /** Replaces a rule of the version that was read. One that asks something else than before ends what it fired, and looks from now on. */
        put: operations["replace_rule"];
        post?: never;
        /** Deletes a rule with what it fired, and with what it would still tell. */
        delete: operations["delete_rule"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/alerts/rules/{rule}/firings/{subject}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Acknowledges or resolves a firing. Who was told of it is told of this too. A firing that somebody resolved triggers again only when its
         *     condition was not met in between.
         */
        patch: operations["change_firing"];
        trace?: never;
    };
    "/api/v1/projects/{project}/alerts/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What holds for all of a project's alerts. */
        get: operations["get_settings"];
        /** Replaces the settings of the version that was read. */
        put: operations["replace_settings"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/dead-letters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What could not be processed, with reasons. */
        get: operations["list_dead_letters"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/dead-letters/{partition}/{offset}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sends the record of a dead letter through once more, as a late batch. What had its effect before has none again; once the rest has
         *     its effect the dead letter is gone. Doing it twice does no harm.
         */
        post: operations["replay_dead_letter"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/endpoints": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Endpoints that the pages called, with how long they took. */
        get: operations["list_endpoints"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/endpoints/{endpoint}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One endpoint, by its name as the list gives it. */
        get: operations["get_endpoint"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/grouping-rules/dry-run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Tries rules on the last week, and changes nothing: which issues they would have made one. Of each issue the newest occurrence is
         *     looked at, so that an issue whose errors differ may be told wrongly.
         */
        post: operations["try_grouping_rules"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/issues": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Issues of a project. */
        get: operations["list_issues"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/issues/{issue}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One issue. Its sessions are a list of sessions with its id as `issue`. The id of an issue that was merged into another gives that one. */
        get: operations["get_issue"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Changes the state or the assignee of an issue. */
        patch: operations["change_issue"];
        trace?: never;
    };
    "/api/v1/projects/{project}/issues/{issue}/jira": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether an issue has a Jira issue, and what Jira last told of it. */
        get: operations["get_jira_issue"];
        put?: never;
        /** Creates the Jira issue of an issue, once: sent again it answers with the one that there is. */
        post: operations["create_jira_issue"];
        /** Forgets the Jira issue of an issue. It stays as it is in Jira. */
        delete: operations["unlink_jira_issue"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/issues/{issue}/jira/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Reads the Jira issue from Jira, and follows it. */
        post: operations["refresh_jira_issue"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/issues/{issue}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Takes errors of a discarded issue again, from a minute later on: they make a new issue, as what there was is dropped. */
        post: operations["restore_issue"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/issues/{issue}/split": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Takes an issue out of the one into which it was merged: it is one of its own again, with all that was counted of it. */
        post: operations["split_issue"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/issues/bulk": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Changes many issues alike, one after the other. If it fails in between, the same request may be sent again. */
        post: operations["change_issues"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/issues/discard": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Discards issues, each with those merged into it: they are not shown any more, and from a minute later on errors of them make no
         *     issue and are counted as `discarded`. At most 500 in the life of a project: those that are taken again count too.
         */
        post: operations["discard_issues"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/issues/discarded": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The issues that were discarded, the latest first. */
        get: operations["list_discarded_issues"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/issues/merge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Makes issues one, which is shown as `into`: counts, users and sessions of all of them, and what happens from now on. Issues that
         *     were merged before come along. It can be undone one by one.
         */
        post: operations["merge_issues"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/jira": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The project's connection to Jira, without its secrets. */
        get: operations["get_jira"];
        /** Connects the project to Jira, or changes the connection. Jira is not asked: see the test. */
        put: operations["save_jira"];
        post?: never;
        /** Disconnects the project. Jira issues stay as they are, and keep their links here. */
        delete: operations["delete_jira"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/jira/fields": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The fields that a type requires, and that are not filled in by themselves. */
        get: operations["list_jira_fields"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/jira/hook": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Makes a new address and secret for Jira's web hook; the old ones work no more. */
        post: operations["renew_jira_hook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/jira/hook/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What Jira calls when an issue was changed or deleted. Set it up in Jira with the address and the secret that saving the connection
         *     answers with.
         */
        post: operations["receive_jira_hook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/jira/projects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Jira's projects in which issues may be created, by key; at most 50. */
        get: operations["list_jira_projects"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/jira/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Asks Jira who we are. At most ten a minute for a project, with the tests of its channels. */
        post: operations["test_jira"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/jira/types": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The types of issues of a Jira project. */
        get: operations["list_jira_types"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/jira/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Users to whom issues of a Jira project may be assigned; at most 50. */
        get: operations["list_jira_users"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/pages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Pages that were loaded, with their web vitals. */
        get: operations["list_pages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/secret-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The project's secret keys, without the keys. */
        get: operations["list_secret_keys"];
        put?: never;
        /** Creates a secret key. It is shown in this answer and never again. */
        post: operations["create_secret_key"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/secret-keys/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Revokes a secret key: at once here, and within seconds where spans are sent with it. */
        delete: operations["revoke_secret_key"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Sessions, newest first, filtered. */
        get: operations["list_sessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/sessions/{session}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One session. */
        get: operations["get_session"];
        put?: never;
        post?: never;
        /** Erases a session: its key, its rows and its recording, at once and for good, even while it is still sending. */
        delete: operations["erase_session"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/sessions/{session}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The time line of a session. */
        get: operations["list_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/sessions/{session}/events/{event}/stack": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The stack of an error with its causes, read with the source maps that are there now. Each frame that is not shown as it was written says
         *     why.
         */
        get: operations["get_stack"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/sessions/{session}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The manifest of a session's recording. Poll it while the session is live. */
        get: operations["get_manifest"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/sessions/{session}/segments/{segment}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A segment of a recording: rrweb events, one a line. */
        get: operations["get_segment"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/source-maps": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The source maps of a project, the newest first. */
        get: operations["list_source_maps"];
        put?: never;
        /**
         * Stores a source map. One with the same release and path, or with the same debug id, takes the place of the one before. Repeating an upload
         *     changes nothing. The body may be compressed (`Content-Encoding: gzip` or `zstd`) and has at most 64 MiB once inflated.
         */
        post: operations["upload_source_map"];
        /** Deletes all source maps of a release. */
        delete: operations["delete_source_maps"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/source-maps/{map}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Deletes a source map. */
        delete: operations["delete_source_map"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the project receives anything, and what. */
        get: operations["project_status"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/users/{user}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Erases every session of a user that began before now. */
        delete: operations["erase_user"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sign-in": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Signs a browser in with the token of the printed link (or the admin token). */
        post: operations["sign_in"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sign-out": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Signs this browser out. */
        post: operations["sign_out"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description Events per bucket from the session's start on; at most 64 buckets. */
        Activity: {
            /** Format: int64 */
            bucket_ms: number;
            values: number[];
        };
        /** @description A channel, without its secrets. */
        AlertChannel: {
            /** Format: int64 */
            changed_at: number;
            /** Format: int64 */
            created_at: number;
            id: string;
            kind: components["schemas"]["ChannelKind"];
            name: string;
            /** @description Of e-mail. */
            recipients: string[];
            /** @description Of a web hook: the last four characters of what signs it. */
            secret_hint?: string | null;
            /** @description Where it leads: host and the last four characters of the address or key; of e-mail the addresses. */
            target: string;
            /**
             * Format: int64
             * @description Grows with every change; send it as `If-Match` to change only what you have seen.
             */
            version: number;
        };
        /** @description The channels of a project, oldest first. */
        AlertChannelList: {
            items: components["schemas"]["AlertChannel"][];
        };
        /** @description When a rule triggers. */
        AlertCondition: {
            /**
             * Format: double
             * @description Of `seen`: it triggers from so many on.
             */
            at_least?: number | null;
            kind: components["schemas"]["AlertKind"];
            limit?: components["schemas"]["AlertLimit"] | null;
            measure?: components["schemas"]["AlertMeasure"] | null;
            /**
             * Format: int64
             * @description Of `share`: sessions that began in the window, below which no share is told; 20 unless given.
             */
            minimum_sessions?: number | null;
            /**
             * Format: double
             * @description Of `seen`: it is over when a whole window is below; `at_least` unless given.
             */
            resolve_below?: number | null;
            /**
             * Format: int32
             * @description Of `seen`, `endpoint` and `page` (5, 10, 15, 30, 60, 180, 360, 720 or 1440), and of `silent`.
             */
            window_minutes?: number | null;
        };
        /** @enum {string} */
        AlertDay: "monday" | "tuesday" | "wednesday" | "thursday" | "friday" | "saturday" | "sunday";
        /** @description What is open for so long is told to further channels, once. */
        AlertEscalation: {
            /**
             * Format: int32
             * @description 5 to 1440, from when it was told.
             */
            after_minutes: number;
            /** @description Ids of channels; 1 to 10. */
            channels: string[];
        };
        /** @description Hours of days of the week, by the wall clock of a place. */
        AlertHours: {
            /** @description The days on which they begin. */
            days: components["schemas"]["AlertDay"][];
            /** @description Times of day, as `09:30`. Hours that do not end after they begin end on the next day. */
            from: string;
            to: string;
            /** @description A name of the IANA time zone database, as `Europe/Lisbon`. */
            zone: string;
        };
        /**
         * @description What a rule triggers on.
         * @enum {string}
         */
        AlertKind: "new_issue" | "regressed" | "escalating" | "seen" | "silent" | "endpoint" | "page";
        /** @description What is measured, and from where on it triggers. */
        AlertLimit: {
            /**
             * Format: int32
             * @description Of `apdex`: requests up to that long satisfy; 500 unless given.
             */
            apdex_ms?: number | null;
            /** @description Of `throughput`: it triggers when there is less. */
            below?: boolean;
            environment?: string | null;
            last_week?: boolean;
            measure: components["schemas"]["LimitMeasure"];
            /**
             * Format: int64
             * @description Requests (of vitals: page loads with that vital) in the window, below which nothing is told; 20 unless given. Not of `throughput`, except
             *     a week before.
             */
            minimum?: number | null;
            /** @description As the lists of endpoints and pages give it; null: all together. */
            name?: string | null;
            release?: string | null;
            /**
             * Format: double
             * @description It is over when a whole window is on the good side of that; `trigger_at` unless given.
             */
            resolve_at?: number | null;
            /**
             * Format: double
             * @description It triggers from there on. With `last_week`, how much worse than in the same window a week before: points of per cent (error share),
             *     hundredths (Apdex), else per cent.
             */
            trigger_at: number;
        };
        /**
         * @description What is counted in a window.
         * @enum {string}
         */
        AlertMeasure: "events" | "sessions" | "users" | "share";
        /** @description What a rule would have fired. */
        AlertPreview: {
            /** Format: int64 */
            from_ms: number;
            items: components["schemas"]["PreviewedFiring"][];
            /** @description What the preview cannot know, in sentences. */
            notes: string[];
            /** @description There are more issues than were looked at. */
            partial: boolean;
            /** Format: int64 */
            to_ms: number;
            /** @description How many; `items` has the newest 100. */
            total: number;
        };
        /**
         * @description How much something matters.
         * @enum {string}
         */
        AlertPriority: "high" | "medium" | "low";
        /** @description A rule. */
        AlertRule: {
            /** Format: int64 */
            changed_at: number;
            channels: string[];
            condition: components["schemas"]["AlertCondition"];
            /** Format: int64 */
            created_at: number;
            disabled: boolean;
            escalation?: components["schemas"]["AlertEscalation"] | null;
            filter: string;
            hours?: components["schemas"]["AlertHours"] | null;
            /** @description 16 hexadecimal digits. */
            id: string;
            /** Format: int64 */
            muted_until_ms?: number | null;
            name: string;
            priority?: components["schemas"]["AlertPriority"] | null;
            /** Format: int32 */
            throttle_minutes: number;
            /** Format: int64 */
            version: number;
        };
        /** @description A rule as it is to be. */
        AlertRuleDraft: {
            /** @description Ids of channels; at most 10. */
            channels?: string[];
            condition: components["schemas"]["AlertCondition"];
            disabled?: boolean;
            escalation?: components["schemas"]["AlertEscalation"] | null;
            /** @description Which issues, as `query` of the list of issues; empty: all. */
            filter?: string;
            hours?: components["schemas"]["AlertHours"] | null;
            /**
             * Format: int64
             * @description Until then it tells nobody.
             */
            muted_until_ms?: number | null;
            /** @description 1 to 100 characters. */
            name: string;
            priority?: components["schemas"]["AlertPriority"] | null;
            /**
             * Format: int32
             * @description An issue triggers once within so long; 60 unless given, at most 10080.
             */
            throttle_minutes?: number | null;
            /**
             * Format: int64
             * @description When a rule is changed: the version that was read. Another one is answered with 409.
             */
            version?: number | null;
        };
        AlertRuleList: {
            /**
             * Format: int64
             * @description Issues that could not trigger when the rules were last evaluated, as the project has too many firings.
             */
            dropped: number;
            /**
             * Format: int64
             * @description Up to when rules were evaluated; null: never.
             */
            evaluated_to?: number | null;
            items: components["schemas"]["AlertRule"][];
        };
        /** @description What holds for all of a project's alerts. */
        AlertSettings: {
            /** @description What triggers then tells nobody; at most 50. */
            maintenance: components["schemas"]["AlertSpan"][];
            /**
             * Format: int32
             * @description 1 to 1000: what is more within an hour (UTC) is told in one message at its end.
             */
            messages_per_hour: number;
            /**
             * Format: int64
             * @description As read. Another one is answered with 409.
             */
            version: number;
        };
        /** @description A span of time. */
        AlertSpan: {
            /** Format: int64 */
            from_ms: number;
            /** Format: int64 */
            to_ms: number;
        };
        /** @description What brings an archived issue back: one of `escalating`, `events` and `users`. */
        ArchivedUntil: {
            /**
             * Format: int32
             * @description With `events`: within so many days (UTC) that follow each other, 1 to 30; else whenever.
             */
            days?: number | null;
            /** @description That it escalates. */
            escalating?: boolean;
            /**
             * Format: int64
             * @description So many more events: 1 to 1,000,000.
             */
            events?: number | null;
            /**
             * Format: int64
             * @description So many more users: 1 to 9,000, with those that it has; more are not counted exactly.
             */
            users?: number | null;
        };
        /** @description Events by value, the most frequent first. What is beyond 50 values is one, `other`; an empty value is not known. */
        Breakdowns: {
            browser: components["schemas"]["BreakdownValue"][];
            country: components["schemas"]["BreakdownValue"][];
            os: components["schemas"]["BreakdownValue"][];
            page: components["schemas"]["BreakdownValue"][];
            release: components["schemas"]["BreakdownValue"][];
        };
        /** @description How many events have a value. */
        BreakdownValue: {
            /** Format: int64 */
            events: number;
            value: string;
        };
        /**
         * @description What a channel leads to.
         * @enum {string}
         */
        ChannelKind: "webhook" | "slack" | "teams" | "pagerduty" | "discord" | "email" | "jira";
        /** @description What to change; a member that is left out stays as it is. */
        ChannelPatch: {
            name?: string | null;
            settings?: components["schemas"]["ChannelSettings"] | null;
        };
        /** @description What each kind needs. Addresses are https, on the public network unless the operator allows others. */
        ChannelSettings: {
            /** @enum {string} */
            kind: "webhook";
            /** @description 16 to 256 visible ASCII characters; left out, one is made. */
            secret?: string | null;
            url: string;
        } | {
            /** @enum {string} */
            kind: "slack";
            url: string;
        } | {
            /** @enum {string} */
            kind: "teams";
            url: string;
        } | {
            /** @enum {string} */
            kind: "pagerduty";
            /** @description The integration key of an Events API v2 integration. */
            routing_key: string;
            /** @description Left out: `https://events.pagerduty.com/v2/enqueue`. In the EU `https://events.eu.pagerduty.com/v2/enqueue`. */
            url?: string | null;
        } | {
            /** @enum {string} */
            kind: "discord";
            url: string;
        } | {
            /** @enum {string} */
            kind: "email";
            /** @description At most 20. */
            recipients: string[];
        } | {
            /** @enum {string} */
            kind: "jira";
        };
        /** @description What came of a test. */
        ChannelTest: {
            /** @description The other side took it. */
            delivered: boolean;
            /** @description What it said, or why it was not reached. */
            detail: string;
            /** @description A later try may succeed. */
            retryable: boolean;
            /**
             * Format: int32
             * @description The HTTP status of its answer.
             */
            status?: number | null;
        };
        /** @description Requests of a release or country. */
        Compared: {
            /** Format: double */
            failure_share?: number | null;
            /** @description Empty: not known. */
            name: string;
            /** Format: double */
            p50_ms?: number | null;
            /** Format: double */
            p95_ms?: number | null;
            /** Format: int64 */
            requests: number;
        };
        /** @description How many of what. */
        Counts: {
            /** Format: int64 */
            clicks: number;
            /** Format: int64 */
            console_errors: number;
            /** Format: int64 */
            custom_events: number;
            /** Format: int64 */
            dead_clicks: number;
            /**
             * Format: int64
             * @description Signals that were not understood.
             */
            dropped_signals: number;
            /** Format: int64 */
            errors: number;
            /** Format: int64 */
            events: number;
            /** Format: int64 */
            failed_requests: number;
            /** Format: int64 */
            navigations: number;
            /** Format: int64 */
            rage_clicks: number;
            /** Format: int64 */
            requests: number;
            /** Format: int64 */
            slow_requests: number;
        };
        /** @description A project that was created. The secret key is shown here and never again. */
        CreatedProject: {
            project_id: string;
            public_key: string;
            secret_key: string;
        };
        /** @description A secret key that was created: shown here and never again. */
        CreatedSecretKey: {
            hint: string;
            secret_key: string;
        };
        /** @description A batch, or a part of one, that could not be processed. */
        DeadLetter: {
            /** Format: int32 */
            bytes: number;
            detail: string;
            /** Format: int64 */
            offset: number;
            /** Format: int64 */
            partition: number;
            reason: string;
            /** Format: int64 */
            received_at: number;
            /** Format: int64 */
            seq: number;
            session_id?: string | null;
            stream_id?: string | null;
            /** @description Of the request that brought it. */
            trace_id?: string | null;
        };
        /** @description Some dead letters, in the order of the log. */
        DeadLetterPage: {
            items: components["schemas"]["DeadLetter"][];
            next?: string | null;
        };
        /** @description How many were deleted. */
        DeletedSourceMaps: {
            /** Format: int64 */
            deleted: number;
        };
        /** @description A try to tell somebody. */
        Delivery: {
            /** Format: int32 */
            attempt: number;
            channel: string;
            /** @description The same with every try. */
            message: string;
            /** @description `sent`, `failed` (tried again), `gave_up`, `held` (told in a digest) or `not_sent` (when it was due nobody needed it any more). */
            outcome: string;
            rule: string;
            sentence: string;
            subject: string;
            /** Format: int64 */
            time_ms: number;
            title: string;
            /** @description `triggered`, `escalated`, `acknowledged` or `resolved`. */
            transition: string;
        };
        DeliveryList: {
            /** @description The newest first. */
            items: components["schemas"]["Delivery"][];
        };
        /** @description An issue whose errors are dropped. */
        DiscardedIssue: {
            discarded_by: string;
            /**
             * Format: int64
             * @description What is received from then on is dropped.
             */
            from_ms: number;
            id: string;
            title: string;
            /**
             * Format: int64
             * @description What is received from then on is taken again, as another issue; null: nothing is.
             */
            to_ms?: number | null;
        };
        /** @description The discarded issues of a project. */
        DiscardedIssueList: {
            /** @description The latest first. */
            items: components["schemas"]["DiscardedIssue"][];
        };
        /** @description What rules would have made of the last seven days (UTC, today included). */
        DryRun: {
            /** @description Issues that would be one, in the order of the rules. */
            groups: components["schemas"]["DryRunGroup"][];
            /** @description Issues whose newest occurrence was looked at: at most 500, those with the most events. */
            issues: number;
            /** @description Issues whose newest occurrence is not kept any more. */
            not_kept: number;
            /** @description There are more issues than one request looks at. */
            partial: boolean;
        };
        /** @description What a rule would have matched. */
        DryRunGroup: {
            fingerprint: string;
            issues: components["schemas"]["DryRunIssue"][];
            /** @description Its number, from 1. */
            rule: number;
        };
        /** @description An issue as it is without the rules. */
        DryRunIssue: {
            /**
             * Format: int64
             * @description Of the seven days.
             */
            events: number;
            id: string;
            title: string;
        };
        /** @description Rules to try. */
        DryRunRequest: {
            /** @description At most 50. */
            rules: components["schemas"]["GroupingRule"][];
        };
        /** @description Percentiles, each off by 1 % at most. */
        Durations: {
            /**
             * Format: int64
             * @description How many have a known duration.
             */
            known: number;
            /** Format: double */
            p50_ms?: number | null;
            /** Format: double */
            p75_ms?: number | null;
            /** Format: double */
            p95_ms?: number | null;
            /** Format: double */
            p99_ms?: number | null;
        };
        /** @description The window before. */
        Earlier: {
            /** Format: double */
            failure_share?: number | null;
            /** Format: double */
            p95_ms?: number | null;
            /** Format: int64 */
            requests: number;
        };
        /** @description Requests to one endpoint. */
        Endpoint: {
            /** Format: int64 */
            aborted: number;
            /**
             * Format: double
             * @description 0 to 1, by `apdex_ms`: what takes up to four times as long counts half, and failures nothing.
             */
            apdex?: number | null;
            before?: components["schemas"]["Earlier"] | null;
            durations: components["schemas"]["Durations"];
            /** Format: int64 */
            failed: number;
            /**
             * Format: double
             * @description 0 to 1, of the requests that were not aborted.
             */
            failure_share?: number | null;
            /**
             * Format: double
             * @description Of the answers whose size is known.
             */
            mean_bytes?: number | null;
            /** @description Method, host unless it is the page's own, and template of the path; `…other`: those beyond what is told apart. */
            name: string;
            /** @description How the time splits, where it is known. */
            parts: components["schemas"]["Parts"];
            /**
             * Format: int64
             * @description Of all sessions: one that was seen counts for as many as it stands for, by `signal_sample_rate`. So do all counts here.
             */
            requests: number;
            trend: components["schemas"]["TrendPoint"][];
        };
        /** @description All about an endpoint. */
        EndpointDetail: {
            countries: components["schemas"]["Compared"][];
            endpoint: components["schemas"]["Endpoint"];
            failed_sample?: components["schemas"]["RequestSample"] | null;
            histogram: components["schemas"]["HistogramBucket"][];
            /** @description The most requested first. */
            releases: components["schemas"]["Compared"][];
            /** @description Those with an answer by status, then those without; the most first. */
            statuses: components["schemas"]["StatusCount"][];
            window: components["schemas"]["PerformanceWindow"];
        };
        /** @description Endpoints that were called in a window of time. */
        EndpointPage: {
            endpoints: components["schemas"]["Endpoint"][];
            /** @description How many there are, those beyond `endpoints` included. */
            total: number;
            window: components["schemas"]["PerformanceWindow"];
        };
        /** @description How much an erasure reached. */
        ErasedUser: {
            /**
             * Format: int64
             * @description Sessions that were erased.
             */
            sessions: number;
        };
        /** @description The stack of an error, and those of its causes and parts. */
        ErrorStack: {
            /** @description Of each cause, in the order of the error's `causes`. */
            causes: components["schemas"]["StackFrame"][][];
            /** @description Of each part of an `AggregateError`, in the order of the error's `errors`. */
            errors: components["schemas"]["StackFrame"][][];
            frames: components["schemas"]["StackFrame"][];
            release?: string | null;
        };
        /** @description More happens than was to be expected. */
        Escalation: {
            /** Format: int64 */
            events: number;
            /**
             * Format: int64
             * @description The most that its own history of hours and days lets one expect.
             */
            forecast: number;
            /**
             * Format: int64
             * @description Within so many hours, the one under way included.
             */
            hours: number;
        };
        /** @description One thing that happened. */
        Event: {
            /**
             * Format: double
             * @description Milliseconds from the session's start.
             */
            at_ms: number;
            /** @description The signal's fields, and what the server found (`failed`, `slow`, `clamped`). */
            data: {
                [key: string]: unknown;
            };
            /** @description `<stream>-<seq>-<index>`: stable. */
            id: string;
            /** @description `error`, `request`, `console`, … as the SDK names its signals. */
            kind: string;
            stream: string;
            /**
             * Format: double
             * @description Milliseconds of the Unix epoch, server's clock.
             */
            time: number;
        };
        /** @description Some events in order of time. */
        EventPage: {
            items: components["schemas"]["Event"][];
            next?: string | null;
        };
        /**
         * @description Which failed requests are issues.
         * @enum {string}
         */
        FailedRequests: "none" | "server" | "all";
        /** @description The newest firing of a rule for an issue. */
        Firing: {
            /** @description Who acknowledged or resolved it; null: nobody. */
            by?: string | null;
            /** Format: int64 */
            changed_at: number;
            culprit: string;
            /** @description Nobody acknowledged it in time, and further channels were told. */
            escalated: boolean;
            /** @description Of the rule's condition. */
            kind: components["schemas"]["AlertKind"];
            /** @description It triggered while nobody was to be told. */
            muted: boolean;
            /** @description The endpoint or page that the rule measures; null: all together, or the rule measures none. */
            name?: string | null;
            /** Format: int64 */
            opened_at: number;
            /** @description Messages that are still to be sent. */
            pending: number;
            priority: components["schemas"]["AlertPriority"];
            rule: string;
            rule_name: string;
            /** Format: int64 */
            since_ms: number;
            status: components["schemas"]["FiringStatus"];
            /** @description The id of the issue, or `project`. */
            subject: string;
            title: string;
            why: string;
        };
        FiringList: {
            /** @description Those that triggered last first. */
            items: components["schemas"]["Firing"][];
            more: boolean;
        };
        /** @description What somebody decides about a firing. */
        FiringPatch: {
            /** @description `acknowledged` or `resolved`. */
            status: components["schemas"]["FiringStatus"];
        };
        /**
         * @description Where a firing is.
         * @enum {string}
         */
        FiringStatus: "open" | "acknowledged" | "resolved";
        /** @description A part of a recording that is missing. */
        Gap: {
            /** @description A sentence for people. */
            detail: string;
            /** Format: int64 */
            from_ms: number;
            /** @description `missing`, `offline`, `buffer_full`, `unload`, … */
            reason: string;
            /** Format: int64 */
            to_ms: number;
        };
        /**
         * @description A state that people give.
         * @enum {string}
         */
        GivenState: "ongoing" | "resolved" | "archived";
        /** @description Something that the error tells. */
        GroupingPart: {
            /** @description Whether it decides to which issue the error belongs. */
            counted: boolean;
            name: string;
            values: string[];
            why: string;
        };
        /**
         * @description Errors that match get the fingerprint, whatever the page gave. Patterns are regular expressions without look-around and
         *     back-references, unanchored; an empty one matches all, and one at least is not empty.
         */
        GroupingRule: {
            /** @description Errors with the same fingerprint are one issue. 1 to 200 bytes. */
            fingerprint: string;
            /** @description Of its first kilobyte. */
            message?: string;
            /** @description Of the page's path, or that of a script of the page's own in the stack. */
            path?: string;
            /** @description Of the error's type. */
            type?: string;
        };
        /** @description Requests that took so long. */
        HistogramBucket: {
            /** Format: double */
            over_ms: number;
            /** Format: int64 */
            requests: number;
            sample?: components["schemas"]["RequestSample"] | null;
            /**
             * Format: double
             * @description Null: without end.
             */
            up_to_ms?: number | null;
        };
        /** @description The installation that answers. */
        Installation: {
            /** @description The demo shop, when it is on. */
            demo_url?: string | null;
            /** @description Where batches go and the script is. */
            ingest_url: string;
            version: string;
        };
        /** @description What was taken in. */
        Intake: {
            /** Format: int64 */
            batches: number;
            /** Format: int64 */
            bytes: number;
            /** @description By reason. */
            dead_letters: {
                [key: string]: number;
            };
            /** Format: int64 */
            dropped_signals: number;
            /** Format: int64 */
            duplicates: number;
            /** @description Errors that made no issue, by the filter that dropped them. `script_error` needs `crossorigin` on the page's scripts. */
            filtered_errors: {
                [key: string]: number;
            };
            /** Format: int64 */
            new_sessions: number;
            /** Format: int64 */
            signals: number;
            /** Format: int64 */
            since: number;
            /** Format: int64 */
            suppressed: number;
        };
        /** @description One mistake in one place of the page's code. */
        Issue: {
            archived_until?: components["schemas"]["ArchivedUntil"] | null;
            assignee?: string | null;
            /** @description Where in the page's code, or on which page. */
            culprit: string;
            /** @description Events of each day (UTC), the oldest first, the last one under way. */
            days_30: number[];
            escalation?: components["schemas"]["Escalation"] | null;
            /** Format: int64 */
            events: number;
            first_release?: string | null;
            /** Format: int64 */
            first_seen_ms: number;
            handled: boolean;
            /** @description Events of each hour (UTC), the oldest first, the last one under way. */
            hours_24: number[];
            /** @description 32 hexadecimal digits. */
            id: string;
            last_release?: string | null;
            /** Format: int64 */
            last_seen_ms: number;
            latest?: components["schemas"]["Occurrence"] | null;
            mechanism: string;
            /** @description Issues that people merged into it. */
            merged: number;
            priority: components["schemas"]["Priority"];
            resolved_in?: components["schemas"]["ResolvedIn"] | null;
            /** @description With `next_release` and `this_release`. */
            resolved_release?: string | null;
            /**
             * Format: int64
             * @description A session counts for the first 50 issues that it has.
             */
            sessions: number;
            /**
             * @description Whether each session was counted once; if not, a session that has several of the merged issues counts for each, and there are
             *     at most so many.
             */
            sessions_exact: boolean;
            state: components["schemas"]["IssueState"];
            title: string;
            /** @description Of the error. */
            type: string;
            /**
             * Format: int64
             * @description A session without a user counts as one.
             */
            users: number;
            /** @description Whether `users` was counted to the end; if not, there are at least so many. */
            users_exact: boolean;
        };
        /** @description The same for many. */
        IssueBulkPatch: {
            archived_until?: components["schemas"]["ArchivedUntil"] | null;
            assignee?: string | null;
            /** @description 1 to 100. */
            ids: string[];
            priority?: components["schemas"]["PinnedPriority"] | null;
            release?: string | null;
            resolved_in?: components["schemas"]["ResolvedIn"] | null;
            state?: components["schemas"]["GivenState"] | null;
        };
        /** @description What became of a change of many. */
        IssueBulkResult: {
            changed: string[];
            /** @description Of which there is no issue. */
            missing: string[];
        };
        /** @description Who changed what. */
        IssueChangeRecord: {
            actor: string;
            change: string;
            /** Format: int64 */
            time_ms: number;
        };
        /** @description An issue with what its page shows. */
        IssueDetail: components["schemas"]["Issue"] & {
            /** @description `fingerprint`, `resource`, `policy`, `stack`, `message` or `overflow`. */
            basis: string;
            breakdowns: components["schemas"]["Breakdowns"];
            /** @description Why its events are together. */
            components: components["schemas"]["GroupingPart"][];
            /**
             * Format: int32
             * @description Of the rules by which it was grouped.
             */
            grouping_version: number;
            /** @description The newest first; of the merged issues too. */
            history: components["schemas"]["IssueChangeRecord"][];
            /** @description The issues that were merged into it. */
            members: components["schemas"]["IssueMember"][];
        };
        /** @description Some issues. */
        IssueIds: {
            /** @description 1 to 100. */
            ids: string[];
        };
        /** @description An issue that is shown as a part of another. */
        IssueMember: {
            culprit?: string | null;
            /** Format: int64 */
            events: number;
            id: string;
            /** Format: int64 */
            last_seen_ms?: number | null;
            /** Format: int64 */
            merged_at_ms: number;
            merged_by: string;
            /** Format: int64 */
            sessions: number;
            /** @description Null: nothing of it is kept any more. What comes of it counts for the whole. */
            title?: string | null;
        };
        /** @description Issues that are to be one. */
        IssueMerge: {
            /** @description 1 to 100. `into` may be among them. */
            ids: string[];
            /** @description The issue under which all are shown. */
            into: string;
        };
        /** @description Some issues, in the order that was asked for. */
        IssuePage: {
            issues: components["schemas"]["Issue"][];
            /** @description Pass as `cursor` to go on; null at the end. */
            next?: string | null;
            /** @description The issue that takes the errors of those beyond the bound, if there are any. */
            overflow?: string | null;
            /** @description More issues are stored than one request looks at; those shown may not be the first ones. */
            partial: boolean;
        };
        /** @description What to change; a member that is left out stays as it is. */
        IssuePatch: {
            archived_until?: components["schemas"]["ArchivedUntil"] | null;
            /** @description Empty: nobody. */
            assignee?: string | null;
            priority?: components["schemas"]["PinnedPriority"] | null;
            /** @description With `this_release`; the newest that had it unless given. */
            release?: string | null;
            resolved_in?: components["schemas"]["ResolvedIn"] | null;
            state?: components["schemas"]["GivenState"] | null;
        };
        /**
         * @description What is to be thought of an issue.
         * @enum {string}
         */
        IssueState: "new" | "ongoing" | "escalating" | "regressed" | "resolved" | "archived";
        /**
         * @description Where a Jira issue is in its life.
         * @enum {string}
         */
        JiraCategory: "to_do" | "in_progress" | "done" | "unknown";
        /** @description Something to choose. */
        JiraChoice: {
            id: string;
            name: string;
        };
        JiraChoiceList: {
            items: components["schemas"]["JiraChoice"][];
        };
        /** @description A project's connection, without its secrets. */
        JiraConnection: {
            /** Format: int64 */
            changed_at: number;
            comments: boolean;
            defaults?: components["schemas"]["JiraDefaults"] | null;
            email?: string | null;
            /** @description Why Jira does not let us in. */
            fault?: string | null;
            /** Format: int64 */
            fault_at?: number | null;
            kind: components["schemas"]["JiraKind"];
            site: string;
            sync_assignee: boolean;
            sync_state: boolean;
            /** @description The last characters of the token. */
            token_hint: string;
            /** Format: int64 */
            version: number;
        };
        /** @description With what Jira issues are created unless somebody says otherwise, and always by rules. */
        JiraDefaults: {
            /**
             * @description Values of required fields by their ids: a text, a number, the id of an option or of a user, a date (`2026-01-31`), or a list of
             *     these.
             */
            fields?: Record<string, never>;
            /** @description Id of the type. */
            issue_type: string;
            /** @description Key of the Jira project. */
            project: string;
        };
        /** @description The connection as it is to be. */
        JiraDraft: {
            /** @description A comment when a rule triggers for an issue that has a Jira issue. */
            comments?: boolean;
            defaults?: components["schemas"]["JiraDefaults"] | null;
            /** @description Of the account; with `cloud`. */
            email?: string | null;
            kind: components["schemas"]["JiraKind"];
            /** @description Address of the site: https, on the public network unless the operator allows others. */
            site: string;
            sync_assignee?: boolean;
            /** @description Resolving here and finishing there go together. */
            sync_state?: boolean;
            /** @description Left out: the one that there is, for the same site and account. */
            token?: string | null;
            /**
             * Format: int64
             * @description As read. Another one is answered with 409.
             */
            version?: number | null;
        };
        /** @description A field that Jira requires. */
        JiraField: {
            /** @description With `unsupported`: what to do. */
            detail?: string | null;
            id: string;
            kind: components["schemas"]["JiraFieldKind"];
            name: string;
            options: components["schemas"]["JiraChoice"][];
        };
        /**
         * @description What a field takes.
         * @enum {string}
         */
        JiraFieldKind: "text" | "long_text" | "number" | "option" | "options" | "user" | "users" | "date" | "date_time" | "labels" | "issue" | "unsupported";
        JiraFieldList: {
            items: components["schemas"]["JiraField"][];
        };
        /** @description What Jira's web hook needs to be told: shown once. */
        JiraHook: {
            secret: string;
            /** @description A secret. */
            url: string;
        };
        /** @description The Jira issue of an issue. */
        JiraIssue: {
            assignee?: string | null;
            category: components["schemas"]["JiraCategory"];
            /** Format: int64 */
            checked_at: number;
            /** Format: int64 */
            created_at: number;
            created_by: string;
            /** @description What could not be done. */
            fault?: string | null;
            /** Format: int64 */
            fault_at?: number | null;
            /** @description It was deleted, or the account may not see it any more. */
            gone: boolean;
            /** @description `SHOP-7` */
            key: string;
            /** @description Something is still to be told to Jira. */
            pending: boolean;
            /** @description As Jira last told. */
            status?: string | null;
            /** @description In the site in which it was created. */
            url: string;
        };
        /** @description A type of issue. */
        JiraIssueType: {
            id: string;
            name: string;
            /** @description It is a part of another issue. */
            subtask: boolean;
        };
        JiraIssueTypeList: {
            items: components["schemas"]["JiraIssueType"][];
        };
        /**
         * @description Which Jira it is.
         * @enum {string}
         */
        JiraKind: "cloud" | "data_center";
        /** @description Whether the project is connected. */
        JiraSettings: {
            connection?: components["schemas"]["JiraConnection"] | null;
        };
        /** @description An issue and Jira. */
        JiraState: {
            /** @description The project is connected. */
            connected: boolean;
            /** @description Why Jira does not let us in. */
            fault?: string | null;
            issue?: components["schemas"]["JiraIssue"] | null;
            /** @description A creation began whose outcome is not known: creating again looks for it first. */
            unsure: boolean;
        };
        /** @description What came of a test. */
        JiraTest: {
            /** @description Who we are to Jira, or why it does not work. */
            detail: string;
            /** @description A later try may succeed. */
            retryable: boolean;
            works: boolean;
        };
        /**
         * @description What is measured of an endpoint or a page within a window.
         * @enum {string}
         */
        LimitMeasure: "error_share" | "p95" | "p99" | "throughput" | "apdex" | "lcp" | "inp" | "cls";
        /** @description Everything a player needs to know before it fetches segments. */
        Manifest: {
            /** Format: int64 */
            duration_ms: number;
            /** Format: int64 */
            ended_at: number;
            /** @description Hosts from which images may load. */
            image_hosts: string[];
            /** @description Sentences that explain the state. */
            reasons: string[];
            session_id: string;
            /** Format: int64 */
            started_at: number;
            state: components["schemas"]["ReplayState"];
            streams: components["schemas"]["Stream"][];
        };
        /** @description Who asks, and where. */
        Me: {
            installation: components["schemas"]["Installation"];
            name: string;
        };
        /**
         * @description Why a frame is not shown as it was written.
         * @enum {string}
         */
        MissingSource: "no_release" | "no_map" | "broken_map" | "not_mapped" | "no_source";
        /** @description A product and its version. */
        Named: {
            name?: string | null;
            version?: string | null;
        };
        /** @description A channel to create. */
        NewChannel: {
            name: string;
            settings: components["schemas"]["ChannelSettings"];
        };
        /** @description A Jira issue to create. What is left out is taken from the connection's defaults. */
        NewJiraIssue: {
            /** @description As in the connection's defaults. */
            fields?: Record<string, never>;
            issue_type?: string | null;
            project?: string | null;
        };
        /** @description A project to create. */
        NewProject: {
            /** @description As in the project's settings, but from the beginning on: a later change counts after a minute. */
            error_filters_off?: string[];
            /** @description 1 to 100 characters. */
            name: string;
        };
        /** @description A bundle with its map. At least one of `release` and a debug id (in the map, or at the end of `code`) must be there. */
        NewSourceMap: {
            /** @description The bundle. Functions get their names with it, and a map inside it is found. */
            code?: string;
            /** @description The source map itself. May be left out when it is inside `code`. */
            map?: {
                [key: string]: unknown;
            } | null;
            /** @description Of the bundle, as it is deployed: `assets/index.js`. Directories before it and the host do not matter. */
            path: string;
            /** @description As the page tells it to the SDK; empty or left out: the map is found by its debug id alone. */
            release?: string;
        };
        /** @description The newest occurrence of an issue. */
        Occurrence: {
            event: string;
            replay?: components["schemas"]["OccurrenceReplay"] | null;
            session: string;
            /** Format: int64 */
            time_ms: number;
        };
        /**
         * @description What waits behind a link to an occurrence.
         * @enum {string}
         */
        OccurrenceReplay: "playable" | "recording" | "partial" | "none" | "erased" | "expired";
        /** @description Where a call was written. */
        OriginalFrame: {
            /** Format: int32 */
            column: number;
            /** @description As the map names it. */
            file: string;
            /** @description Null: not known; empty: it has no name. */
            function?: string | null;
            /** Format: int32 */
            line: number;
            source?: components["schemas"]["SourceExcerpt"] | null;
        };
        /** @description Pages that were loaded in a window of time. */
        PageList: {
            pages: components["schemas"]["PageLoads"][];
            /** @description How many there are, those beyond `pages` included. */
            total: number;
            window: components["schemas"]["PerformanceWindow"];
        };
        /** @description Loads of one page. */
        PageLoads: {
            /** Format: int64 */
            loads: number;
            /** @description The template of the path; `…other`: those beyond what is told apart. */
            name: string;
            trend: components["schemas"]["TrendPoint"][];
            vitals: components["schemas"]["Vital"][];
        };
        /** @description A part of a request's time. */
        Part: {
            /**
             * Format: int64
             * @description Of how many requests it is known.
             */
            known: number;
            /** Format: double */
            mean_ms?: number | null;
            /**
             * Format: double
             * @description Only of a single endpoint.
             */
            p95_ms?: number | null;
        };
        /** @description Parts of a request's time. */
        Parts: {
            backend: components["schemas"]["Part"];
            /** @description After the response, until the next frame. */
            frontend: components["schemas"]["Part"];
            network: components["schemas"]["Part"];
        };
        /** @description What the numbers are about. */
        PerformanceWindow: {
            /**
             * Format: int64
             * @description The window that changes are against begins so much earlier.
             */
            compared_ms: number;
            countries: string[];
            environments: string[];
            /**
             * Format: int64
             * @description Rounded outwards to whole spans.
             */
            from_ms: number;
            /** @description What is not told apart everywhere, as there was too much of it: `countries`, `releases`, `environments` or `names`. */
            merged: string[];
            /** @description Not all that was counted could be read; the numbers are too low. */
            partial: boolean;
            /** @description What requests or pages of the window had, to filter by. Only when filters were asked with, or of a single endpoint or page. */
            releases: string[];
            /**
             * Format: int64
             * @description How long the spans of trends are.
             */
            span_minutes: number;
            /** Format: int64 */
            to_ms: number;
        };
        /**
         * @description A priority that people give.
         * @enum {string}
         */
        PinnedPriority: "high" | "medium" | "low" | "none";
        PreviewedFiring: {
            /** @description If not, it may have triggered. */
            certain: boolean;
            /** Format: int64 */
            from_ms: number;
            /**
             * Format: int64
             * @description How exactly its times are known.
             */
            grain_ms: number;
            /** @description Null: of an endpoint or a page. */
            issue?: string | null;
            title: string;
            /**
             * Format: int64
             * @description Null: it goes on, or nobody knows.
             */
            to_ms?: number | null;
            why: string;
        };
        /** @description How much an issue matters now. */
        Priority: {
            level: components["schemas"]["PriorityLevel"];
            /** @description People gave it. */
            pinned: boolean;
            /** @description One line. */
            reason: string;
            /**
             * Format: int32
             * @description 0 to 100.
             */
            score: number;
        };
        /**
         * @description A score in words.
         * @enum {string}
         */
        PriorityLevel: "high" | "medium" | "low";
        /** @description A problem as RFC 9457 has it. */
        Problem: {
            detail: string;
            /** @description The field to blame. */
            field?: string | null;
            /** @description With code `jira-refused`: what is wrong, by the id of Jira's field. */
            fields?: {
                [key: string]: string;
            };
            /**
             * @description With code `unavailable`: what does not answer, `store` (lists and time lines), `blobs` (recordings and source maps) or `log` (changes of projects).
             *     The rest of the API goes on.
             */
            part?: string | null;
            /** Format: int32 */
            status: number;
            title: string;
            /** @description `urn:playhead:problem:<code>` */
            type: string;
        };
        /** @description One observed web app. */
        Project: {
            /** Format: int64 */
            created_at: number;
            /** @description Batches of a disabled project are refused. */
            disabled: boolean;
            id: string;
            name: string;
            /** @description Safe to publish. */
            public_key: string;
            /** @description The inline stub and the async script: what to paste into the head of a page. */
            script_tag: string;
            /** @description The plain form: one deferred script. */
            script_tag_plain: string;
            settings: components["schemas"]["Settings"];
        };
        /** @description All projects that the credential opens. */
        ProjectList: {
            items: components["schemas"]["Project"][];
        };
        /** @description What to change; a member that is left out stays as it is. */
        ProjectPatch: {
            allowed_origins?: string[] | null;
            critical_pages?: string[] | null;
            disabled?: boolean | null;
            /** @description At most 100. */
            endpoint_templates?: string[] | null;
            error_filters_off?: string[] | null;
            failed_requests?: components["schemas"]["FailedRequests"] | null;
            /** @description At most 50, and 8 KiB of text. */
            grouping_rules?: components["schemas"]["GroupingRule"][] | null;
            image_hosts?: string[] | null;
            name?: string | null;
            network_bodies?: string[] | null;
            /** Format: double */
            on_error_sample_rate?: number | null;
            /** Format: int32 */
            retention_days?: number | null;
            /** Format: double */
            sample_rate?: number | null;
            /** Format: double */
            signal_sample_rate?: number | null;
            /** Format: int32 */
            slow_request_ms?: number | null;
            store_ip?: boolean | null;
        };
        /** @description Whether and what a project receives. */
        ProjectStatus: {
            /** Format: int64 */
            first_event_at?: number | null;
            /** @description Since the start of yesterday (UTC). */
            intake: components["schemas"]["Intake"];
            /** Format: int64 */
            last_event_at?: number | null;
        };
        /** @description Where the log has a copy of a dead letter's record. */
        ReplayedRecord: {
            /** Format: int64 */
            offset: number;
            /** Format: int32 */
            partition: number;
        };
        /**
         * @description What waits behind a link to the recording.
         * @enum {string}
         */
        ReplayState: "live" | "complete" | "partial" | "not_sampled" | "recorder_failed" | "deleted" | "expired";
        /** @description A moment of a session to open. */
        RequestSample: {
            event_id: string;
            session_id: string;
            /** Format: int64 */
            time_ms: number;
        };
        /**
         * @description From when on an issue counts as resolved.
         * @enum {string}
         */
        ResolvedIn: "now" | "next_release" | "this_release";
        /** @description The rates that were in force, 0 to 1. */
        Sampling: {
            /** Format: double */
            dom: number;
            /** Format: double */
            dom_on_error: number;
            /** Format: double */
            signals: number;
        };
        /** @description A channel that was created or changed. */
        SavedChannel: {
            channel: components["schemas"]["AlertChannel"];
            /** @description Of a web hook whose secret was made now: shown in this answer and never again. */
            signing_secret?: string | null;
        };
        /** @description A connection that was saved. */
        SavedJira: {
            connection: components["schemas"]["JiraConnection"];
            hook?: components["schemas"]["JiraHook"] | null;
        };
        /** @description A secret key, without the key. */
        SecretKey: {
            /** Format: int64 */
            created_at: number;
            /** @description Its last four characters. */
            hint: string;
            id: string;
        };
        /** @description The secret keys of a project. */
        SecretKeyList: {
            items: components["schemas"]["SecretKey"][];
        };
        /** @description A part of a recording that is fetched on its own: whole rrweb events, one a line. */
        Segment: {
            /**
             * Format: int64
             * @description Stored bytes of `range`.
             */
            bytes: number;
            /**
             * Format: int64
             * @description Null where it is not counted.
             */
            events?: number | null;
            /** Format: int64 */
            first_seq: number;
            /** Format: int64 */
            from_ms: number;
            href: string;
            /** @description Changes when the content does. */
            id: string;
            /** @description Starts with a full snapshot, so that playing can start here. */
            key_frame: boolean;
            /** Format: int64 */
            last_seq: number;
            /** @description Where the bytes are: object and byte range. */
            object: string;
            range: number[];
            /** Format: int64 */
            raw_bytes: number;
            /** Format: int64 */
            to_ms: number;
        };
        /** @description One visit of one visitor. */
        Session: {
            activity: components["schemas"]["Activity"];
            browser: components["schemas"]["Named"];
            /** @description A browser clock was more than a minute off, or times were impossible. */
            clock_skewed: boolean;
            /** @description ISO 3166-1 alpha-2. */
            country?: string | null;
            counts: components["schemas"]["Counts"];
            custom_events: string[];
            /** @description `desktop`, `mobile`, `tablet` or `bot`. */
            device?: string | null;
            /** Format: int64 */
            duration_ms: number;
            /** Format: int64 */
            ended_at: number;
            entry_page?: string | null;
            environment?: string | null;
            exit_page?: string | null;
            /** Format: int64 */
            expires_at: number;
            id: string;
            /** @description Null unless the project stores addresses. */
            ip?: string | null;
            language?: string | null;
            os: components["schemas"]["Named"];
            /** Format: int64 */
            page_count: number;
            /** @description Distinct pages in order of first visit, without query and fragment; bounded. */
            pages: string[];
            project_id: string;
            release?: string | null;
            replay: components["schemas"]["ReplayState"];
            /** @description Sentences that explain `replay`. */
            replay_reasons: string[];
            sampling: components["schemas"]["Sampling"];
            screen?: components["schemas"]["Size"] | null;
            sdk?: string | null;
            /** Format: int64 */
            started_at: number;
            state: components["schemas"]["SessionState"];
            /**
             * Format: int64
             * @description Bytes received, compressed.
             */
            stored_bytes: number;
            /**
             * Format: int64
             * @description Document loads.
             */
            streams: number;
            /**
             * Format: int64
             * @description Distinct tabs.
             */
            tabs: number;
            time_zone?: string | null;
            user?: components["schemas"]["User"] | null;
            user_agent?: string | null;
        };
        /** @description Some sessions, newest first unless asked otherwise. */
        SessionPage: {
            items: components["schemas"]["Session"][];
            /** @description Pass as `cursor` to go on; null at the end. */
            next?: string | null;
            /** @description The scan budget ended before `limit` was reached: go on with `next`. */
            partial: boolean;
        };
        /**
         * @description Whether batches may still come.
         * @enum {string}
         */
        SessionState: "live" | "ended";
        /** @description What a project decides. */
        Settings: {
            /** @description Origins that may send (`https://shop.example`, `https://*.shop.example`); empty: all. */
            allowed_origins: string[];
            /** @description Paths (`/checkout/*`) on which an issue matters more. */
            critical_pages: string[];
            /**
             * @description What endpoints and pages are called whose paths these fit: `/products/{product}`. `*` is a segment that stays as it is, `**` at the end all
             *     that follows. The first that fits decides, for what was measured before too.
             */
            endpoint_templates: string[];
            /** @description Filters of errors that are off: `browser_extension`, `bot`, `localhost`. What a filter drops makes no issue and is counted. */
            error_filters_off: string[];
            /** @description Which failed requests are issues. */
            failed_requests: components["schemas"]["FailedRequests"];
            /**
             * Format: int64
             * @description From when on the last change of `error_filters_off`, `failed_requests` and `grouping_rules` counts, for what is received then:
             *     a minute after it was made. Null when it never changed.
             */
            grouping_counts_from?: number | null;
            /** @description Rules that give errors a fingerprint; the first that matches decides. */
            grouping_rules: components["schemas"]["GroupingRule"][];
            /** @description Hosts from which the player may load images. */
            image_hosts: string[];
            /** @description Patterns of URLs whose bodies may be recorded. */
            network_bodies: string[];
            /**
             * Format: double
             * @description Share of the others that are recorded once an error happens.
             */
            on_error_sample_rate: number;
            /** Format: int32 */
            retention_days: number;
            /**
             * Format: double
             * @description Share of sessions whose pages are recorded, 0 to 1.
             */
            sample_rate: number;
            /**
             * Format: double
             * @description Share of sessions whose signals are sent.
             */
            signal_sample_rate: number;
            /**
             * Format: int32
             * @description Requests that take longer are slow.
             */
            slow_request_ms: number;
            store_ip: boolean;
        };
        /** @description The token of a printed sign-in link, or the administrator's token. */
        SignIn: {
            token: string;
        };
        /** @description CSS pixels. */
        Size: {
            /** Format: int32 */
            height: number;
            /** Format: int32 */
            width: number;
        };
        /** @description The line with up to five before and behind it. */
        SourceExcerpt: {
            /** Format: int32 */
            first_line: number;
            lines: string[];
        };
        /** @description A source map that is stored. */
        SourceMap: {
            debug_id?: string | null;
            /**
             * Format: int64
             * @description Later, if it is used until then.
             */
            expires_at: number;
            /** @description 32 hexadecimal digits. */
            id: string;
            /** Format: int64 */
            mappings: number;
            path: string;
            /** Format: int64 */
            raw_bytes: number;
            release?: string | null;
            /** Format: int64 */
            sources: number;
            /**
             * Format: int64
             * @description How many sources have their content in the map; only those show lines.
             */
            sources_with_content: number;
            /** Format: int64 */
            stored_bytes: number;
            /** Format: int64 */
            uploaded_at: number;
        };
        /** @description Source maps of a project, the newest first. */
        SourceMapPage: {
            items: components["schemas"]["SourceMap"][];
            /** @description Pass as `cursor` to go on; null at the end. */
            next?: string | null;
            /** @description More maps are stored than one request looks at. */
            partial: boolean;
        };
        /** @description A call, as the engine told it and as it was written. */
        StackFrame: {
            async: boolean;
            /**
             * Format: int32
             * @description From 1, in UTF-16 units.
             */
            column?: number | null;
            file?: string | null;
            function?: string | null;
            /** @description The page's own code; of the original file where it is known. */
            in_app: boolean;
            /** @description `script`, `eval`, `native`, `wasm`, `blob`, `data` or `extension`. */
            kind: string;
            /**
             * Format: int32
             * @description From 1.
             */
            line?: number | null;
            missing?: components["schemas"]["MissingSource"] | null;
            /** @description What `missing` means here, in words. */
            missing_detail?: string | null;
            original?: components["schemas"]["OriginalFrame"] | null;
        };
        /** @description Requests with that outcome. */
        StatusCount: {
            failed: boolean;
            /** Format: int64 */
            requests: number;
            /** @description A status, `other`, or what happened: `network error`, `timeout`, `aborted`, `unknown`. */
            status: string;
        };
        /**
         * @description The recording of one document load. A moment of the session is
         *     `event.timestamp + clock_offset_ms - manifest.started_at`.
         */
        Stream: {
            /** Format: double */
            clock_offset_ms: number;
            clock_skewed: boolean;
            /**
             * Format: int64
             * @description Milliseconds from the session's start, as all `from_ms` and `to_ms`.
             */
            from_ms: number;
            gaps: components["schemas"]["Gap"][];
            id: string;
            /** @description In the order in which they were recorded. The times of neighbours may overlap by moments. */
            segments: components["schemas"]["Segment"][];
            /**
             * Format: int32
             * @description The number of the tab in the session, from 1.
             */
            tab: number;
            /** Format: int64 */
            to_ms: number;
            url?: string | null;
            viewport?: components["schemas"]["Size"] | null;
        };
        /** @description A span of the window. */
        TrendPoint: {
            /** Format: int64 */
            failed: number;
            /**
             * Format: double
             * @description Only of a single endpoint.
             */
            p95_ms?: number | null;
            /**
             * Format: int64
             * @description Or loads of a page.
             */
            requests: number;
            /** Format: int64 */
            time_ms: number;
        };
        /** @description Who the page said its user is. */
        User: {
            email?: string | null;
            id?: string | null;
            traits: {
                [key: string]: unknown;
            };
        };
        /** @description A web vital of a page. */
        Vital: {
            /** Format: double */
            before_p75?: number | null;
            /**
             * Format: int64
             * @description Of how many loads it is known.
             */
            known: number;
            /** @description `LCP`, `INP`, `CLS`, `FCP` or `TTFB`. */
            name: string;
            /**
             * Format: double
             * @description Milliseconds; of `CLS` the score.
             */
            p50?: number | null;
            /** Format: double */
            p75?: number | null;
            /** Format: double */
            p95?: number | null;
            /** @description Of the 75th percentile, as `web.dev` has it: `good`, `needs-improvement` or `poor`. */
            rating?: string | null;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_projects: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProjectList"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_project: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewProject"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedProject"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_project: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Project"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    change_project: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProjectPatch"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Project"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Others changed it at the same time */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description All settings together are too large */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description What decides about issues changed too often; wait */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_channels: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertChannelList"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_channel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewChannel"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SavedChannel"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_channel: {
        parameters: {
            query?: never;
            header?: {
                /** @description The version that was read */
                "if-match"?: string | null;
            };
            path: {
                /** @description Channel id */
                channel: string;
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    change_channel: {
        parameters: {
            query?: never;
            header?: {
                /** @description The version that was read: the change is refused when there is a newer one */
                "if-match"?: string | null;
            };
            path: {
                /** @description Channel id */
                channel: string;
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChannelPatch"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SavedChannel"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    test_channel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Channel id */
                channel: string;
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChannelTest"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_deliveries: {
        parameters: {
            query?: {
                /** @description 1 to 200, 50 unless given. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeliveryList"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_firings: {
        parameters: {
            query?: {
                /** @description 1 to 200, 50 unless given. */
                limit?: number;
                /** @description `open`, `acknowledged` or `resolved`; all unless given. */
                status?: string;
            };
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FiringList"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    preview_rule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AlertRuleDraft"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertPreview"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Others are being tried */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_rules: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertRuleList"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_rule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AlertRuleDraft"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertRule"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The project has as many rules as it can */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_rule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
                /** @description Rule id */
                rule: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertRule"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    replace_rule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
                /** @description Rule id */
                rule: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AlertRuleDraft"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertRule"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It has another version */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_rule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
                /** @description Rule id */
                rule: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Others changed it at the same time */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    change_firing: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
                /** @description Rule id */
                rule: string;
                /** @description Issue id, or `project` */
                subject: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FiringPatch"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Firing"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Others changed it at the same time */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_settings: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertSettings"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    replace_settings: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AlertSettings"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertSettings"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description They have another version */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_dead_letters: {
        parameters: {
            query?: {
                cursor?: string;
                /** @description 1 to 200, 50 unless given. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeadLetterPage"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    replay_dead_letter: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The dead letter's `offset` */
                offset: number;
                /** @description The dead letter's `partition` */
                partition: number;
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Appended to the log again */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReplayedRecord"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The log no longer keeps the record */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_endpoints: {
        parameters: {
            query?: {
                /** @description Requests up to that long satisfy; 500 unless given. */
                apdex_ms?: number;
                /** @description ISO 3166-1 alpha-2. */
                country?: string;
                environment?: string;
                /**
                 * @description Milliseconds of the Unix epoch; 24 hours before `to` unless given. At most 92 days before it. Up to three hours are read by
                 *     minutes (of the last nine days), up to eight days by hours (of the last 35), more by days (of UTC).
                 */
                from_ms?: number;
                /** @description 1 to 200, 50 unless given. */
                limit?: number;
                /** @description A part of the name, in any case. */
                query?: string;
                release?: string;
                /**
                 * @description Of endpoints `requests` (unless given), `failures`, `failure_share`, `p95`, `time` (requests times mean) or `apdex` (the lowest first); of
                 *     pages `loads` (unless given), `LCP`, `INP` or `CLS`.
                 */
                sort?: string;
                /** @description Now unless given. */
                to_ms?: number;
            };
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EndpointPage"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_endpoint: {
        parameters: {
            query?: {
                /** @description Requests up to that long satisfy; 500 unless given. */
                apdex_ms?: number;
                /** @description ISO 3166-1 alpha-2. */
                country?: string;
                environment?: string;
                /**
                 * @description Milliseconds of the Unix epoch; 24 hours before `to` unless given. At most 92 days before it. Up to three hours are read by
                 *     minutes (of the last nine days), up to eight days by hours (of the last 35), more by days (of UTC).
                 */
                from_ms?: number;
                /** @description 1 to 200, 50 unless given. */
                limit?: number;
                /** @description A part of the name, in any case. */
                query?: string;
                release?: string;
                /**
                 * @description Of endpoints `requests` (unless given), `failures`, `failure_share`, `p95`, `time` (requests times mean) or `apdex` (the lowest first); of
                 *     pages `loads` (unless given), `LCP`, `INP` or `CLS`.
                 */
                sort?: string;
                /** @description Now unless given. */
                to_ms?: number;
            };
            header?: never;
            path: {
                /** @description Its name, percent-encoded */
                endpoint: string;
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EndpointDetail"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    try_grouping_rules: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DryRunRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DryRun"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Others are being tried; try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_issues: {
        parameters: {
            query?: {
                /** @description `next` of the page before, with the same query and order. Counts that changed meanwhile may move an issue to another page. */
                cursor?: string;
                /** @description 1 to 100, 25 unless given. */
                limit?: number;
                /**
                 * @description Words that the title or the culprit holds, in any case, and `field:value` with the fields type, release, state (a state or
                 *     `unresolved`), browser, os, page (a template of a path), country, mechanism, assignee (`none`: nobody) and is (`handled`,
                 *     `unhandled`). A value with spaces stands in quotes. All must hold.
                 */
                query?: string;
                /** @description `last_seen` (unless given), `first_seen`, `events`, `users`, `sessions` or `priority`: the highest first. */
                sort?: string;
            };
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IssuePage"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_issue: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Issue id */
                issue: string;
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IssueDetail"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    change_issue: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Issue id */
                issue: string;
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["IssuePatch"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IssueDetail"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Others changed it at the same time */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_jira_issue: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Issue id */
                issue: string;
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JiraState"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_jira_issue: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Issue id */
                issue: string;
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewJiraIssue"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JiraState"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not connected, or nobody knows whether one was created a moment ago */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Jira refused it: `fields` says what is wrong */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    unlink_jira_issue: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Issue id */
                issue: string;
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Unlinked */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    refresh_jira_issue: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Issue id */
                issue: string;
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JiraState"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    restore_issue: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the discarded issue */
                issue: string;
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DiscardedIssueList"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Others changed it at the same time */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description All settings of the project together are too large */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    split_issue: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the merged issue */
                issue: string;
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The issue from which it was taken, if anything of that is there; else itself */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IssueDetail"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Others changed it at the same time */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    change_issues: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["IssueBulkPatch"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IssueBulkResult"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Others changed it at the same time */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    discard_issues: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["IssueIds"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IssueBulkResult"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Others changed it at the same time */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description All settings of the project together are too large */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_discarded_issues: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DiscardedIssueList"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    merge_issues: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["IssueMerge"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IssueDetail"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Others changed it at the same time */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_jira: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JiraSettings"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    save_jira: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["JiraDraft"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SavedJira"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_jira: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Disconnected */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_jira_fields: {
        parameters: {
            query?: {
                /** @description The id of the type. */
                issue_type?: string;
                /** @description The key of the Jira project. */
                project?: string;
            };
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JiraFieldList"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    renew_jira_hook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JiraHook"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    receive_jira_hook: {
        parameters: {
            query?: never;
            header?: {
                /** @description `sha256=` and the HMAC of the body; required from Jira Cloud */
                "x-hub-signature"?: string | null;
            };
            path: {
                /** @description Project id */
                project: string;
                /** @description Of the connection; a secret */
                token: string;
            };
            cookie?: never;
        };
        /** @description As Jira sends it; up to 1 MiB */
        requestBody: {
            content: {
                "application/json": unknown;
            };
        };
        responses: {
            /** @description Noted; what changed is read from Jira */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_jira_projects: {
        parameters: {
            query?: {
                /** @description A part of its name; at most 200 characters. */
                query?: string;
            };
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JiraChoiceList"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    test_jira: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JiraTest"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_jira_types: {
        parameters: {
            query?: {
                /** @description Its key. */
                project?: string;
            };
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JiraIssueTypeList"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_jira_users: {
        parameters: {
            query?: {
                /** @description The key of the Jira project. */
                project?: string;
                /** @description A part of the name; at most 200 characters. */
                query?: string;
            };
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JiraChoiceList"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_pages: {
        parameters: {
            query?: {
                /** @description Requests up to that long satisfy; 500 unless given. */
                apdex_ms?: number;
                /** @description ISO 3166-1 alpha-2. */
                country?: string;
                environment?: string;
                /**
                 * @description Milliseconds of the Unix epoch; 24 hours before `to` unless given. At most 92 days before it. Up to three hours are read by
                 *     minutes (of the last nine days), up to eight days by hours (of the last 35), more by days (of UTC).
                 */
                from_ms?: number;
                /** @description 1 to 200, 50 unless given. */
                limit?: number;
                /** @description A part of the name, in any case. */
                query?: string;
                release?: string;
                /**
                 * @description Of endpoints `requests` (unless given), `failures`, `failure_share`, `p95`, `time` (requests times mean) or `apdex` (the lowest first); of
                 *     pages `loads` (unless given), `LCP`, `INP` or `CLS`.
                 */
                sort?: string;
                /** @description Now unless given. */
                to_ms?: number;
            };
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageList"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_secret_keys: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SecretKeyList"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_secret_key: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedSecretKey"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    revoke_secret_key: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the key, from the list */
                key: string;
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Revoked */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_sessions: {
        parameters: {
            query?: {
                /** @description Name of the browser, in any case. */
                browser?: string;
                /** @description ISO 3166-1 alpha-2, in any case. */
                country?: string;
                /** @description `next` of the page before, with the same filters. */
                cursor?: string;
                /** @description Name of a custom event, exactly. */
                custom_event?: string;
                /** @description Sessions that began at or after this moment: milliseconds of the Unix epoch. */
                from?: number;
                has_errors?: boolean;
                has_failed_requests?: boolean;
                ip?: string;
                /** @description An issue that an error of the session belongs to: 32 hexadecimal digits. Those that were merged into it count too. */
                issue?: string;
                /** @description 1 to 200, 50 unless given. */
                limit?: number;
                max_duration_ms?: number;
                min_duration_ms?: number;
                /** @description Name of the operating system, in any case. */
                os?: string;
                /** @description A path (`/cart`) or a whole URL without query and fragment, exactly; with `*` in it a pattern. */
                page?: string;
                /** @description Text in the user's id or e-mail address, in a page, or at the start of the session's id. */
                q?: string;
                release?: string;
                session_id?: string;
                /** @description `-started_at` (newest first, unless given) or `started_at`. */
                sort?: string;
                /** @description Sessions that began before this moment. */
                to?: number;
                /** @description The user's id, exactly, or e-mail address, in any case. */
                user?: string;
            };
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionPage"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_session: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
                /** @description Session id */
                session: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Deleted, or expired by retention */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    erase_session: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
                /** @description Session id */
                session: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Erased; also when nothing of it was stored */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_events: {
        parameters: {
            query?: {
                /** @description `next` of the page before, with the same filters. */
                cursor?: string;
                /** @description Kinds, separated by commas: `error,request`. Unless given, all but `span`: what the session's backend did. */
                kinds?: string;
                /** @description 1 to 1000, 200 unless given. */
                limit?: number;
                /** @description Text in any value of the event's data, in any case. */
                q?: string;
            };
            header?: never;
            path: {
                /** @description Project id */
                project: string;
                /** @description Session id */
                session: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventPage"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Deleted, or expired by retention */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_stack: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of an error event */
                event: string;
                /** @description Project id */
                project: string;
                /** @description Session id */
                session: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorStack"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Deleted, or expired by retention */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_manifest: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
                /** @description Session id */
                session: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    /** @description Send it as If-None-Match */
                    etag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Manifest"];
                };
            };
            /** @description Nothing new */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_segment: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
                /** @description Segment id, from the manifest */
                segment: string;
                /** @description Session id */
                session: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Whole rrweb events, one a line */
            200: {
                headers: {
                    /** @description Why reading stopped before the end of the segment */
                    "x-playhead-gap"?: string | null;
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not there any more under this id: read the manifest again */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Deleted, or expired by retention */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_source_maps: {
        parameters: {
            query?: {
                cursor?: string;
                /** @description 1 to 500, 100 unless given. */
                limit?: number;
                /** @description Those of this release. */
                release?: string;
            };
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SourceMapPage"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    upload_source_map: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewSourceMap"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SourceMap"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The project has as many source maps as it may have; the detail says which to delete */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Larger than the limit, which the detail tells */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The map cannot be used; the detail says why */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Others are uploading; see Retry-After */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_source_maps: {
        parameters: {
            query?: {
                /** @description Must be given: an empty one stands for maps without a release. */
                release?: string;
            };
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeletedSourceMaps"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_source_map: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the source map */
                map: string;
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    project_status: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProjectStatus"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    erase_user: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Project id */
                project: string;
                /** @description The user's id or e-mail address */
                user: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Erased; batches that are still on their way follow */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErasedUser"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    sign_in: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SignIn"];
            };
        };
        responses: {
            /** @description Signed in; the cookie is set */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The token is wrong or its time is over */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong tokens; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    sign_out: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Signed out; the cookie is gone */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
