/*
 * Kubernetes objects as the API server gives them, in the members that are read here. The server has validated them, so
 * what its schema promises is not checked again; everything optional there is optional here.
 */

/** Metadata of any object. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[];
  readonly creationTimestamp?: string;
}

/** A container of a pod. */
export interface ContainerObject {
  readonly name: string;
  readonly image?: string;
  readonly args?: readonly string[];
  readonly ports?: readonly { readonly containerPort: number; readonly protocol?: string }[];
  readonly restartPolicy?: string;
  readonly securityContext?: {
    readonly privileged?: boolean;
    readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
  };
}

/** A toleration, passed on as it is. */
export type Toleration = Readonly<Record<string, unknown>>;

/** A Pod. */
export interface PodObject {
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly hostNetwork?: boolean;
    readonly containers: readonly ContainerObject[];
    readonly initContainers?: readonly ContainerObject[];
    readonly nodeSelector?: Readonly<Record<string, string>>;
    readonly tolerations?: readonly Toleration[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly hostIP?: string;
    readonly hostIPs?: readonly { readonly ip: string }[];
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
    readonly containerStatuses?: readonly {
      readonly name: string;
      readonly state?: {
        readonly waiting?: { readonly reason?: string; readonly message?: string };
        readonly terminated?: { readonly reason?: string; readonly exitCode?: number };
      };
    }[];
  };
}

/** A Service; the analysis reads the rest of it. */
export interface ServiceObject {
  readonly metadata: ObjectMeta;
  readonly spec: { readonly clusterIP?: string; readonly ports?: readonly { readonly port: number }[] };
}

/** An EndpointSlice. */
export interface EndpointSliceObject {
  readonly endpoints?: readonly { readonly addresses: readonly string[] }[];
  readonly ports?: readonly { readonly port?: number }[];
}

/** A policy object with labels that choose pods, of any kind; `spec` is read where it is judged. */
export interface PolicyObject {
  readonly metadata: ObjectMeta;
  readonly spec: Readonly<Record<string, unknown>>;
}

/**
 * The rules that the AWS controller resolved for one policy (`networking.k8s.aws/v1alpha1`, api/v1alpha1 of
 * amazon-network-policy-controller-k8s, 2026-05).
 */
export interface PolicyEndpointObject {
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly policyRef: { readonly name: string; readonly namespace: string };
    readonly podSelector?: unknown;
    readonly podIsolation?: readonly string[];
    readonly podSelectorEndpoints?: readonly { readonly name: string; readonly podIP: string }[];
    readonly egress?: readonly {
      readonly cidr: string;
      readonly except?: readonly string[];
      readonly ports?: readonly { readonly protocol?: string; readonly port?: number; readonly endPort?: number }[];
    }[];
  };
}
