// The story with the client that oapi-codegen makes from docs/openapi.json. Prints its facts as JSON.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"

	"story/wallet"
)

var ctx, cancel = context.WithTimeout(context.Background(), 3*time.Minute)

// person returns a client with the token of one of the people.
func person(name string) *wallet.ClientWithResponses {
	token := os.Getenv("TOKEN_" + name)
	client, err := wallet.NewClientWithResponses(os.Getenv("WALLET_URL"),
		wallet.WithRequestEditorFn(func(_ context.Context, request *http.Request) error {
			request.Header.Set("Authorization", "Bearer "+token)
			return nil
		}))
	check(err)
	return client
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// answer is what every generated response has.
type answer interface{ StatusCode() int }

// command sends a command until it has an answer, with the same key each time.
func command[A answer](send func(key string) (A, error), key string) A {
	for {
		got, err := send(key)
		if err == nil && got.StatusCode() != 429 && got.StatusCode() < 500 {
			return got
		}
		if ctx.Err() != nil {
			check(fmt.Errorf("no answer for %s: %v", key, err))
		}
		time.Sleep(time.Second)
	}
}

func open(owner *wallet.ClientWithResponses) string {
	opened := command(func(key string) (*wallet.CreateWalletResponse, error) {
		return owner.CreateWalletWithResponse(ctx, &wallet.CreateWalletParams{IdempotencyKey: key},
			wallet.CreateWalletJSONRequestBody{Currency: "USD"})
	}, rand.Text())
	return opened.JSON201.WalletId
}

func withdraw(owner *wallet.ClientWithResponses, walletId string, amount int) *wallet.WithdrawResponse {
	body := wallet.WithdrawJSONRequestBody{Amount: amount}
	body.Destination.Account = "SIM-FLAKY"
	return command(func(key string) (*wallet.WithdrawResponse, error) {
		return owner.WithdrawWithResponse(ctx, walletId, &wallet.WithdrawParams{IdempotencyKey: key}, body)
	}, rand.Text())
}

func available(owner *wallet.ClientWithResponses, walletId string) int {
	consistent := wallet.GetBalanceParamsConsistent("true")
	read, err := owner.GetBalanceWithResponse(ctx, walletId, &wallet.GetBalanceParams{Consistent: &consistent})
	check(err)
	return read.JSON200.Available
}

func main() {
	defer cancel()
	ada, ben, operator := person("ADA"), person("BEN"), person("OPERATOR")
	walletOfAda, walletOfBen := open(ada), open(ben)

	key := rand.Text()
	charge := func(key string) (*wallet.ChargeResponse, error) {
		return operator.ChargeWithResponse(ctx, walletOfAda, &wallet.ChargeParams{IdempotencyKey: key},
			wallet.ChargeJSONRequestBody{Amount: 10_000})
	}
	charged, repeated := command(charge, key), command(charge, key)
	paid := command(func(key string) (*wallet.TransferResponse, error) {
		return ada.TransferWithResponse(ctx, walletOfAda, &wallet.TransferParams{IdempotencyKey: key},
			wallet.TransferJSONRequestBody{Amount: 3_000, ToWalletId: &walletOfBen})
	}, rand.Text())

	withdrawn := withdraw(ada, walletOfAda, 2_000)
	status := ""
	for status != "completed" && status != "failed" {
		seen, err := ada.GetTransactionWithResponse(ctx, withdrawn.JSON202.TransactionId, nil)
		check(err)
		if seen.JSON200 != nil {
			status = seen.JSON200.Status
		}
		time.Sleep(500 * time.Millisecond)
	}
	amount := 1_000
	command(func(key string) (*wallet.RefundResponse, error) {
		return ben.RefundWithResponse(ctx, paid.JSON201.TransactionId, &wallet.RefundParams{IdempotencyKey: key},
			wallet.RefundJSONRequestBody{Amount: &amount, Reason: "a part was missing"})
	}, rand.Text())
	refused := withdraw(ben, walletOfBen, 1_000_000)

	history, err := ada.ListTransactionsWithResponse(ctx, walletOfAda, nil)
	check(err)
	types := []string{}
	for _, one := range history.JSON200.Items {
		types = append(types, one.Type)
	}
	check(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"ada":        available(ada, walletOfAda),
		"ben":        available(ben, walletOfBen),
		"sameCharge": charged.JSON201.TransactionId == repeated.JSON201.TransactionId,
		"withdrawal": status,
		"code":       refused.ApplicationproblemJSON422.Code,
		"history":    types,
	}))
}
