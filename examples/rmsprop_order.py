"""Learn: how fast RMSprop's weak error against its SDE falls (Theorem 4.2 of arXiv 2205.10287)."""

import ngos_sim as ns

study = ns.ConvergenceStudy(
    ns.NGOS(ns.quadratic([0.9, 2.0]), covariance=[1.0, 0.5], noise=ns.gaussian()),
    optimizer=ns.rmsprop(sigma0=0.8, eps0=0.1, c2=1.3),
    sde=ns.rmsprop_sde(),
    initial=dict(theta=[1.2, 1.0], u=1.0),
    eta2=[2.0**-k for k in range(3, 8)],
    horizon=1.0,
    test_functions=["theta[0]", "sqnorm(theta)", "theta[0]*u[0]", "loss"],
)
result = study.run(trajectories=400_000, seed=0)

last = result.table[result.table.time == 1.0]
print(last[["eta2", "test_function", "error", "std_error", "integrator_bias"]].to_string(index=False))
orders = result.order()
columns = ["test_function", "order", "ci_low", "ci_high", "constant", "verdict"]
print(orders[orders.norm == "max"][columns].to_string(index=False))
result.plot("rmsprop_order.png")
